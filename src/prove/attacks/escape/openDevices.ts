import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const openDevices: Attack = {
  name: "open-devices",
  group: "escape",
  tries: "open devices for file systems, tunnels, virtual machines and input",
  run: ({ field, tag }) =>
    writePlaces(
      field.devices.map((path) => ({ path, planted: false })),
      tag,
    ),
};
