import { DeclarationError, type LocatedFault } from "../declaration/index.ts";
import { SeawallError } from "../faults/index.ts";
import { block, printable } from "./block.ts";

export { printable } from "./block.ts";

/** The only place that prints. Results go to standard output, everything else to standard error. */
export interface Output {
  /** A line of the result. */
  readonly line: (text: string) => void;
  /** The result as one JSON object, for `--json`. */
  readonly json: (value: unknown) => void;
  /** What is being done, for a person who waits. Silent with `--json`. */
  readonly progress: (text: string) => void;
  readonly error: (error: unknown) => void;
}

export function makeOutput(json: boolean): Output {
  return {
    line: (text) => void process.stdout.write(`${printable(text)}\n`),
    json: (value) => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    progress: progressTo(json ? undefined : process.stderr),
    error: (error) => {
      if (json) process.stdout.write(`${JSON.stringify(errorObject(error), null, 2)}\n`);
      else process.stderr.write(errorText(error));
    },
  };
}

/** On a terminal, a line that differs from the last one only in its numbers takes its place. */
function progressTo(stream: NodeJS.WriteStream | undefined): (text: string) => void {
  let last = "";
  return (text) => {
    const shape = text.replaceAll(/\d+/g, "0");
    const again = stream?.isTTY === true && shape === last;
    last = shape;
    // Up one line, to its start, and clear it (ECMA-48: CUU, EL).
    stream?.write(`${again ? "\u001b[1A\r\u001b[2K" : ""}${printable(text)}\n`);
  };
}

/** An error the way people read it; see docs/commands.md for the form. */
export function errorText(error: unknown): string {
  if (error instanceof DeclarationError) return error.faults.map(faultText).join("");
  if (error instanceof SeawallError) {
    return block(error.message, error.where, error.hint);
  }
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return (
    block("this is a bug in Seawall", undefined, "report it with the lines below") + `${what}\n`
  );
}

/** An error the way programs read it. */
export function errorObject(error: unknown): object {
  if (error instanceof DeclarationError) {
    return { ok: false, code: error.code, message: error.message, faults: error.faults };
  }
  if (error instanceof SeawallError) {
    const { code, message, where, hint } = error;
    return { ok: false, code, message, where, hint };
  }
  return { ok: false, code: "internal", message: error instanceof Error ? error.message : "" };
}

function faultText({ message, file, line, column, path, hint }: LocatedFault): string {
  const place = `${file}:${line}:${column}${path === "" ? "" : ` (${path})`}`;
  return block(message, place, hint);
}
