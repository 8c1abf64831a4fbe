import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";
import type { Step } from "../../inside/Kernel.ts";

export const reboot: Attack = {
  name: "reboot",
  group: "escape",
  tries: "restart the machine or put another kernel in its place",
  run: ({ kernel }) => {
    // Wrong numbers and flags, which are found out only after the permission was given.
    const ways: Step[] = [
      ["reboot", 1, 2, 3, 0],
      ["kexec_load", 0, 0, 0, 0x4000_0000],
    ];
    return tryEach(ways, (step) => attempt(kernel, [step], { permitted: ["EINVAL"] }));
  },
};
