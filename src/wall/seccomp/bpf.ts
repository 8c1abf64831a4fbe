/** One classic BPF instruction as seccomp(2) takes it (struct sock_filter, 8 bytes). */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

// include/uapi/linux/bpf_common.h
export const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
export const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
export const JUMP = 0x05; // BPF_JMP | BPF_JA
export const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
export const JUMP_AT_LEAST = 0x35; // BPF_JMP | BPF_JGE | BPF_K
export const RETURN = 0x06; // BPF_RET | BPF_K

// include/uapi/linux/seccomp.h
export const RETURN_KILL = 0x80000000;
export const RETURN_ERRNO = 0x00050000;
export const RETURN_ALLOW = 0x7fff0000;

/** Offsets in struct seccomp_data; arguments are 8 bytes each, little-endian on both machines. */
export const OFFSET_NUMBER = 0;
export const OFFSET_ARCHITECTURE = 4;
export const OFFSET_ARGUMENTS = 16;

/** include/uapi/linux/audit.h */
export const AUDIT_ARCHITECTURE = { x86_64: 0xc000003e, aarch64: 0xc00000b7 } as const;
/** Set in the number of calls in x86-64's 32-bit-pointer flavour. */
export const X32_BIT = 0x40000000;

/** The kernel's limit on a filter's length (BPF_MAXINSNS). */
export const MAX_INSTRUCTIONS = 4096;

export function instruction(code: number, k: number, jt = 0, jf = 0): Instruction {
  if (jt > 255 || jf > 255) throw new RangeError("a conditional jump reaches 255 instructions");
  return { code, jt, jf, k };
}

/** An array of struct sock_filter, little-endian. */
export function encodeInstructions(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  }
  return bytes;
}
