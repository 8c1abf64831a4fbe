import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

const DEVICES = ["/dev/fuse", "/dev/net/tun", "/dev/kmsg", "/dev/kvm", "/dev/uinput", "/dev/mem"];

export const openDevices: Attack = {
  name: "open-devices",
  group: "escape",
  tries: "open devices for file systems, tunnels, virtual machines and input",
  run: ({ tag }) =>
    writePlaces(
      DEVICES.map((path) => ({ path, planted: false })),
      tag,
    ),
};
