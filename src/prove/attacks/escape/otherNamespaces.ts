import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";

const FLAGS = { mount: 0x2_0000, network: 0x4000_0000, pid: 0x2000_0000, time: 0x80 } as const;

export const otherNamespaces: Attack = {
  name: "other-namespaces",
  group: "escape",
  tries: "make mount, network, pid and time namespaces",
  run: ({ kernel }) =>
    tryEach(Object.values(FLAGS), (flag) => attempt(kernel, [["unshare", flag]])),
};
