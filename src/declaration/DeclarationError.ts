import { SeawallError, type ExitCode } from "../faults/index.ts";
import type { Fault, FaultCode } from "./Fault.ts";
import { quoteKey, type Position, type Positions } from "./readDeclaration.ts";

/** A fault with its place in a file. */
export interface LocatedFault extends Position {
  readonly code: FaultCode;
  readonly message: string;
  readonly hint?: string;
  readonly file: string;
  /** As `bots.basecamp.grants.sonarr.secret`. */
  readonly path: string;
}

/** A declaration with faults: all of them, sorted by position. */
export class DeclarationError extends SeawallError<"declaration-invalid"> {
  override readonly exitCode: ExitCode = 3;
  readonly faults: readonly LocatedFault[];

  constructor(faults: readonly LocatedFault[]) {
    const count = faults.length === 1 ? "a fault" : `${faults.length} faults`;
    super("declaration-invalid", `the declaration has ${count}`);
    this.faults = faults;
  }
}

/** Gives each fault its line and column, sorted by them. */
export function locateFaults(
  faults: readonly Fault[],
  file: string,
  positions: Positions,
): LocatedFault[] {
  return faults
    .map((fault) => {
      const at =
        fault.at ?? (fault.atKey ? positions.key(fault.path) : positions.value(fault.path));
      return {
        code: fault.code,
        message: fault.message,
        ...(fault.hint === undefined ? {} : { hint: fault.hint }),
        file,
        line: at.line,
        column: at.column,
        path: formatPath(fault),
      };
    })
    .toSorted((a, b) => a.line - b.line || a.column - b.column || (a.message < b.message ? -1 : 1));
}

function formatPath({ path, code }: Fault): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      // A key that looks like a secret must not be shown in full by its own fault.
      const key = code === "looks-like-a-secret" && step.length > 24 ? "…" : step;
      const plain = /^[A-Za-z_$][\w$-]*$/.test(key) && key.length <= 40;
      if (plain) return index === 0 ? key : `.${key}`;
      return `[${quoteKey(key)}]`;
    })
    .join("");
}
