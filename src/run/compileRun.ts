import type { CompiledWall, HostCapabilities, WallSpec } from "../wall/index.ts";
import { findProgram } from "./findProgram.ts";
import { hostFingerprint, wallFingerprint, type PolicyStore } from "./policyStore.ts";

/** A compiled wall without the command's arguments and environment, which change from call to call. */
export interface CompiledRun {
  /** Undefined where it is conceded that there are no namespaces: the launcher is started by itself. */
  readonly bwrap: readonly string[] | undefined;
  /** Host path of bubblewrap. */
  readonly program: string;
  readonly files: readonly string[];
  /** The policy up to its last record, in base64. */
  readonly policy: string;
  readonly group: CompiledWall["group"];
  readonly mechanisms: CompiledWall["mechanisms"];
  /** Paths that are protected where they exist, and can be made where they don't. */
  readonly unprotected: readonly string[];
}

export interface CompileOptions {
  readonly spec: WallSpec;
  readonly launcher: string;
  readonly store: PolicyStore;
  readonly searchPath: string;
  /** Nothing that was found out before is believed. */
  readonly fresh?: boolean;
}

/**
 * Compiles a wall, or takes it from the store if the same was compiled before: the same specification,
 * on the same host as far as it matters, by the same code.
 *
 * @throws WallError when this host can't enforce it
 */
export async function compileRun(options: CompileOptions): Promise<CompiledRun> {
  const { spec, launcher, store, searchPath, fresh = false } = options;
  const bwrap = findProgram("bwrap", searchPath, "/")?.path;
  const limited = Object.keys(spec.limits).length > 0;
  const host = hostFingerprint(launcher, bwrap, limited);
  const key = JSON.stringify([
    { ...spec, command: [spec.command[0]], environment: {} },
    host,
    wallFingerprint(),
  ]);
  // What is protected is looked up in the folders themselves, each time anew.
  const cached =
    fresh || spec.protect.length > 0
      ? undefined
      : (store.get("policy", key) as CompiledRun | undefined);
  if (cached !== undefined) return cached;
  const wall = await import("../wall/index.ts");
  const hostKey = `${host}\n${wallFingerprint()}`;
  const capabilities =
    (fresh ? undefined : (store.get("host", hostKey) as HostCapabilities | undefined)) ??
    (await wall.probeHost({ launcher, path: searchPath }));
  const placed = wall.placeProtections(spec);
  const compile = (what: typeof placed): CompiledWall => {
    try {
      return wall.compileWall(what, capabilities);
    } catch (error) {
      if (!(error instanceof wall.WallError) || error.code !== "user-namespaces") throw error;
      const less = "or do with less (docs/wall.md): --concede no-user-namespaces";
      throw new wall.WallError(error.code, error.message, {
        hint: error.hint === undefined ? less : `${error.hint}; ${less}`,
        cause: error,
      });
    }
  };
  const compiled = compile(placed);
  // Only what works is worth remembering: what is lacking may be remedied the next moment.
  const whole = compiled.bwrap !== undefined;
  if (whole) store.put("host", hostKey, capabilities);
  const run: CompiledRun = {
    bwrap:
      compiled.bwrap === undefined
        ? undefined
        : [...compiled.bwrap, ...wall.closingArguments(launcher)],
    program: capabilities.bubblewrap?.path ?? "bwrap",
    files: compiled.files,
    policy: Buffer.from(withoutExecute(compiled.policy)).toString("base64"),
    group: compiled.group,
    mechanisms: compiled.mechanisms,
    unprotected: placed.unprotected ?? [],
  };
  if (spec.protect.length === 0 && whole) store.put("policy", key, run);
  return run;
}

const HEAD_BYTES = 16;
const EXECUTE = 16;

/** Cuts off the last record, which names the command; see src/wall/policy/encode.ts for the form. */
function withoutExecute(policy: Uint8Array): Uint8Array {
  const bytes = Buffer.from(policy);
  let at = HEAD_BYTES;
  let last = at;
  while (at < bytes.length) {
    last = at;
    at += 8 + bytes.readUInt32LE(at + 4);
  }
  if (bytes.readUInt32LE(last) !== EXECUTE) throw new Error("a policy that doesn't end in execute");
  return bytes.subarray(0, last);
}

/** The whole policy for one call. */
export function completePolicy(run: CompiledRun, spec: WallSpec): Uint8Array {
  const body = Buffer.concat([
    text(spec.command[0]),
    texts(spec.command),
    texts(
      Object.entries(spec.environment)
        .map(([name, value]) => `${name}=${value}`)
        .toSorted(),
    ),
  ]);
  const policy = Buffer.concat([
    Buffer.from(run.policy, "base64"),
    u32(EXECUTE),
    u32(body.length),
    body,
  ]);
  policy.writeUInt32LE(policy.length, HEAD_BYTES - 4);
  return policy;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
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
