import {
  AND,
  AUDIT_ARCHITECTURE,
  JUMP,
  JUMP_AT_LEAST,
  JUMP_EQUAL,
  LOAD,
  OFFSET_ARCHITECTURE,
  OFFSET_ARGUMENTS,
  OFFSET_NUMBER,
  RETURN,
} from "./bpf.ts";
import type { Instruction } from "./bpf.ts";
import type { Call } from "./interpretPolicy.ts";

/**
 * Runs a filter as the kernel would and gives the 32-bit value it returns. Knows the instructions
 * that `compileFilter` emits; throws on any other, on a jump out of the program and on a load from
 * where struct seccomp_data has nothing, all of which the kernel would refuse.
 */
export function runBpf(program: readonly Instruction[], call: Call): number {
  const data = encodeCall(call);
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const step = program[at];
    if (step === undefined) break;
    switch (step.code) {
      case LOAD:
        if (step.k % 4 !== 0 || step.k >= data.byteLength)
          throw new RangeError("load out of range");
        accumulator = data.getUint32(step.k, true);
        break;
      case AND:
        accumulator = (accumulator & step.k) >>> 0;
        break;
      case JUMP:
        at += step.k;
        break;
      case JUMP_EQUAL:
        at += accumulator === step.k ? step.jt : step.jf;
        break;
      case JUMP_AT_LEAST:
        at += accumulator >= step.k ? step.jt : step.jf;
        break;
      case RETURN:
        return step.k;
      default:
        throw new RangeError(`instruction ${step.code} is not one we emit`);
    }
  }
  throw new RangeError("the filter runs off its end");
}

function encodeCall(call: Call): DataView {
  const view = new DataView(new ArrayBuffer(64));
  const architecture =
    call.architecture === "other" ? 0x40000003 : AUDIT_ARCHITECTURE[call.architecture];
  view.setUint32(OFFSET_NUMBER, call.number, true);
  view.setUint32(OFFSET_ARCHITECTURE, architecture, true);
  for (const [index, value] of call.arguments.entries())
    view.setBigUint64(OFFSET_ARGUMENTS + 8 * index, value, true);
  return view;
}
