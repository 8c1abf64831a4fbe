import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const cron: Attack = {
  name: "cron",
  group: "persistence",
  tries: "have cron run something: /etc/cron.d, /var/spool/cron",
  run: ({ field, tag }) => writePlaces(field.places.cron, tag),
};
