import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";
import { targets } from "../../inside/processes.ts";

export const processVmReadv: Attack = {
  name: "process-vm-readv",
  group: "secrets",
  tries: "read other processes' memory by process_vm_readv(2)",
  run: ({ kernel, field }) => {
    const bytes = Buffer.alloc(64);
    const local = vector(kernel.address(bytes), bytes.length);
    // Nothing is mapped at the first page: a fault comes after the permission was given.
    const remote = vector(4096n, bytes.length);
    return tryEach(targets(field), (pid) =>
      attempt(kernel, [["process_vm_readv", pid, local, 1, remote, 1, 0]], {
        permitted: ["EFAULT"],
      }),
    );
  },
};

/** struct iovec. */
function vector(address: bigint, length: number): BigInt64Array {
  return BigInt64Array.of(address, BigInt(length));
}
