import { closeSync, existsSync, openSync, rmSync, writeSync } from "node:fs";
import type { Field } from "../Field.ts";
import { Kernel } from "../inside/Kernel.ts";

/** What the kernel keeps of ours for as long as this process runs. */
export interface PlantedInKernel {
  readonly keyring: NonNullable<Field["keyring"]> | undefined;
  readonly sharedMemory: number | undefined;
  readonly sharedFile: string | undefined;
  remove(): void;
}

const JOIN_SESSION_KEYRING = 1;
const SETPERM = 5;
const UNLINK = 9;
const SESSION_KEYRING = -3;
const EVERYTHING_TO_EVERYBODY = 0x3f3f3f3f;
const IPC_PRIVATE = 0;
const IPC_CREAT_FOR_ALL = 0o1666;
const IPC_RMID = 0;
const PAGE = 4096;

/**
 * Plants a marker in a session keyring, which whatever is started from here inherits unless it is
 * kept from it; in System V shared memory, which goes when this process does; and in /dev/shm.
 */
export function plantInKernel(
  surroundings: Pick<Field, "addon" | "syscalls">,
  name: string,
  marker: string,
): PlantedInKernel {
  const kernel = new Kernel(surroundings);
  const keyring = plantKey(kernel, name, marker);
  const sharedMemory = plantMemory(kernel, marker);
  const sharedFile = existsSync("/dev/shm") ? `/dev/shm/${name}` : undefined;
  if (sharedFile !== undefined) {
    const fd = openSync(sharedFile, "wx", 0o644);
    writeSync(fd, marker);
    closeSync(fd);
  }
  return {
    keyring,
    sharedMemory,
    sharedFile,
    remove: () => {
      if (keyring !== undefined)
        kernel.call("keyctl", UNLINK, keyring.serial, SESSION_KEYRING, 0, 0);
      if (sharedFile !== undefined) rmSync(sharedFile, { force: true });
    },
  };
}

function plantKey(kernel: Kernel, description: string, marker: string): PlantedInKernel["keyring"] {
  if ("error" in kernel.call("keyctl", JOIN_SESSION_KEYRING, 0, 0, 0, 0)) return undefined;
  const added = kernel.call("add_key", "user", description, marker, marker.length, SESSION_KEYRING);
  if ("error" in added) return undefined;
  kernel.call("keyctl", SETPERM, added.value, EVERYTHING_TO_EVERYBODY, 0, 0);
  return { serial: added.value, description };
}

function plantMemory(kernel: Kernel, marker: string): number | undefined {
  const made = kernel.call("shmget", IPC_PRIVATE, PAGE, IPC_CREAT_FOR_ALL);
  if ("error" in made) return undefined;
  const at = kernel.call("shmat", made.value, 0, 0);
  // It stays until this process ends, and others may still attach it (shmctl(2), Linux).
  kernel.call("shmctl", made.value, IPC_RMID, 0);
  if ("error" in at) return undefined;
  const bytes = Buffer.from(marker);
  const length = BigInt(bytes.length);
  const local = BigInt64Array.of(kernel.address(bytes), length);
  const remote = BigInt64Array.of(BigInt(at.value), length);
  kernel.call("process_vm_writev", process.pid, local, 1, remote, 1, 0);
  return made.value;
}
