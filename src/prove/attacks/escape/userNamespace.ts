import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const CLONE_NEWUSER = 0x1000_0000;

export const userNamespace: Attack = {
  name: "user-namespace",
  group: "escape",
  tries: "make a user namespace and be root in it",
  run: ({ kernel }) =>
    attempt(kernel, [["unshare", CLONE_NEWUSER]], { otherwise: "user namespace" }),
};
