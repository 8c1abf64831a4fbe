import { readBytes, type DeclaredLimits, type Fault, type Path } from "../declaration/index.ts";
import type { LimitsPlan } from "./Plan.ts";

/**
 * Bounds as the broker takes them.
 *
 * @param counted why tokens can't be counted here, in plain words; `undefined` when they can.
 */
export function planLimits(
  declared: DeclaredLimits | undefined,
  path: Path,
  uncounted: string | undefined,
  faults: Fault[],
): { readonly limits?: LimitsPlan } {
  if (declared === undefined) return {};
  for (const key of ["tokensPerDay", "dollarsPerDay"] as const) {
    if (declared[key] === undefined || uncounted === undefined) continue;
    faults.push({
      code: "no-effect",
      path: [...path, "limits", key],
      atKey: true,
      message: `"${key}" could have no effect: ${uncounted}`,
      hint: "limit callsPerMinute or bytesPerDay instead",
    });
  }
  const { callsPerMinute, concurrentCalls, bytesPerDay, tokensPerDay, dollarsPerDay } = declared;
  const limits: LimitsPlan = {
    ...(callsPerMinute === undefined ? {} : { callsPerMinute }),
    ...(concurrentCalls === undefined ? {} : { concurrentCalls }),
    ...(bytesPerDay === undefined ? {} : { bytesPerDay: readBytes(bytesPerDay) }),
    ...(tokensPerDay === undefined ? {} : { tokensPerDay }),
    ...(dollarsPerDay === undefined
      ? {}
      : { microdollarsPerDay: Math.round(dollarsPerDay * 1_000_000) }),
  };
  return Object.keys(limits).length === 0 ? {} : { limits };
}
