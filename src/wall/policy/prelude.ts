import type { CompiledLimits } from "../limits/compile.ts";
import type { WallSpec } from "../WallSpec.ts";
import type { Operation } from "./Operation.ts";

const SIGKILL = 9;
// include/uapi/asm-generic/resource.h
const RLIMIT_CORE = 4;

/**
 * What the launcher does first for every process.
 *
 * @param dies whether it has to be told to end with its parent; bubblewrap does so for what is behind it.
 */
export function prelude(
  spec: WallSpec,
  limits: CompiledLimits,
  dies: boolean,
): readonly Operation[] {
  return [
    ...(dies ? [{ op: "death-signal", signal: SIGKILL } as const] : []),
    // 1 and not 0: a core_pattern with a pipe ignores 0, and takes 1 to mean none (fs/coredump.c).
    { op: "limit", resource: RLIMIT_CORE, value: 1n },
    ...limits.early.map((limit) => ({ op: "limit", ...limit }) as const),
    { op: "umask", mask: 0o077 },
    { op: "directory", path: spec.cwd },
  ];
}
