import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

/** FILEID_INO32_GEN: inode 2 is the root of most file systems, whatever of it is mounted here. */
const ROOT_HANDLE = Buffer.from([8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
const O_DIRECTORY = 0o200_000;

export const fileHandle: Attack = {
  name: "file-handle",
  group: "secrets",
  tries: "open the whole file system behind a mount by a guessed handle (open_by_handle_at)",
  run: ({ kernel, field }) =>
    attempt(
      kernel,
      [
        ["openat", -100, field.home, O_DIRECTORY, 0],
        ["open_by_handle_at", { result: 0 }, ROOT_HANDLE, O_DIRECTORY],
      ],
      { permitted: ["ESTALE"] },
    ),
};
