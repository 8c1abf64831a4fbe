import type { Ruleset } from "../landlock/compile.ts";
import { encodeInstructions } from "../seccomp/bpf.ts";
import type { Instruction } from "../seccomp/bpf.ts";
import type { Operation } from "./Operation.ts";

/** As in native/launch.h. */
export const POLICY_VERSION = 1;

const NUMBERS = {
  "death-signal": 1,
  limit: 2,
  umask: 3,
  directory: 4,
  loopback: 5,
  listen: 6,
  acknowledged: 7,
  dialer: 8,
  "user-namespace": 9,
  "no-new-privileges": 10,
  capabilities: 11,
  landlock: 12,
  filter: 13,
  descriptors: 14,
  ready: 15,
  execute: 16,
  pass: 18,
  notify: 19,
  code: 20,
  expect: 21,
  socket: 22,
} as const;
const EXECUTE_ONCE = 17;

/**
 * The policy as seawall-launch reads it, all numbers little-endian:
 * `"seawall\n"`, u32 version, u32 length of the whole, then records of u32 operation, u32 length,
 * bytes. A string is u32 length, bytes, NUL. Throws RangeError on a string with a NUL in it.
 */
export function encodePolicy(operations: readonly Operation[]): Uint8Array {
  const records = operations.flatMap((operation) => {
    const body = encodeBody(operation);
    const number =
      operation.op === "execute" && operation.once ? EXECUTE_ONCE : NUMBERS[operation.op];
    return [u32(number), u32(body.length), body];
  });
  const body = Buffer.concat(records);
  const head = Buffer.from("seawall\n");
  return Buffer.concat([head, u32(POLICY_VERSION), u32(head.length + 8 + body.length), body]);
}

function encodeBody(operation: Operation): Buffer {
  switch (operation.op) {
    case "death-signal":
      return u32(operation.signal);
    case "limit":
      return Buffer.concat([u32(operation.resource), u64(operation.value)]);
    case "umask":
      return u32(operation.mask);
    case "directory":
      return text(operation.path);
    case "listen":
      return Buffer.concat([
        u32(operation.protocol === "tcp" ? 6 : 17),
        u32(operation.family),
        u32(operation.port),
        u32(operation.local === true ? 1 : 0),
      ]);
    case "socket":
      return Buffer.concat([text(operation.folder), text(operation.name)]);
    case "dialer":
      return Buffer.concat([
        u32(operation.port),
        u32(operation.timeoutMs),
        encodeRuleset(operation.landlock),
        encodeFilter(operation.filter),
      ]);
    case "user-namespace":
      return Buffer.concat([u32(operation.uid), u32(operation.gid)]);
    case "capabilities":
      return u32((operation.bounding ? 1 : 0) | (operation.securebits ? 2 : 0));
    case "landlock":
      return encodeRuleset(operation.ruleset);
    case "filter":
      return encodeFilter(operation.filter);
    case "descriptors":
      return Buffer.concat([u32(operation.keep.length), ...operation.keep.map(u32)]);
    case "pass":
      return texts(operation.names);
    case "notify":
      return u32(operation.descriptor);
    case "execute":
      return Buffer.concat([
        text(operation.path),
        texts(operation.arguments),
        texts(operation.environment),
      ]);
    case "code":
      return texts(operation.paths);
    case "expect":
      return Buffer.concat([text(operation.path), u64(operation.device), u64(operation.inode)]);
    case "loopback":
    case "acknowledged":
    case "no-new-privileges":
    case "ready":
      return Buffer.alloc(0);
    default:
      return operation satisfies never;
  }
}

function encodeRuleset(ruleset: Ruleset | undefined): Buffer {
  const { fs, net, scoped, rules } = ruleset ?? { fs: 0n, net: 0n, scoped: 0n, rules: [] };
  const encoded = rules.map((rule) =>
    rule.kind === "path"
      ? Buffer.concat([u32(1), u64(rule.directory), u64(rule.file), text(rule.path)])
      : Buffer.concat([u32(2), u64(rule.rights), u64(BigInt(rule.port))]),
  );
  return Buffer.concat([u64(fs), u64(net), u64(scoped), u32(rules.length), ...encoded]);
}

function encodeFilter(filter: readonly Instruction[]): Buffer {
  return Buffer.concat([u32(filter.length), encodeInstructions(filter)]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function text(value: string): Buffer {
  if (value.includes("\0")) throw new RangeError("a string in a policy holds a NUL");
  const bytes = Buffer.from(value);
  return Buffer.concat([u32(bytes.length), bytes, Buffer.alloc(1)]);
}

function texts(values: readonly string[]): Buffer {
  return Buffer.concat([u32(values.length), ...values.map(text)]);
}
