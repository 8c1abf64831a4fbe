import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

export const perfEvents: Attack = {
  name: "perf-events",
  group: "escape",
  tries: "count and sample through the kernel's performance events",
  run: ({ kernel }) => {
    // struct perf_event_attr: a software clock, user space only.
    const attributes = Buffer.alloc(128);
    attributes.writeUInt32LE(1, 0);
    attributes.writeUInt32LE(128, 4);
    attributes.writeUInt32LE(0x60, 40);
    return attempt(kernel, [["perf_event_open", attributes, 0, -1, -1, 0]]);
  },
};
