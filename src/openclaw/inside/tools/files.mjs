// One call of an agent's file tools, in the wall of its workspace: what the kernel doesn't let it open it
// doesn't open, whatever links are there. The job is a variable; a line of JSON comes back, then the bytes
// that were read.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import process from "node:process";

const { O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const LARGEST = 64 * 1024 * 1024;

const JOBS = {
  read({ path, maxBytes = LARGEST }) {
    // Not to wait for whoever writes a FIFO.
    const file = openSync(path, O_RDONLY | O_NONBLOCK);
    try {
      requireFile(file);
      const most = Math.min(maxBytes, LARGEST);
      const parts = [];
      for (let size = 0; ;) {
        const part = Buffer.alloc(65_536);
        const got = readSync(file, part);
        if (got === 0)
          return { said: { canonical: realpathSync(path) }, data: Buffer.concat(parts) };
        size += got;
        if (size > most) throw Object.assign(new Error("file is too large"), { code: "EFBIG" });
        parts.push(part.subarray(0, got));
      }
    } finally {
      closeSync(file);
    }
  },
  write({ path, mkdir, exclusive }) {
    if (mkdir) mkdirSync(dirname(path), { recursive: true });
    let file;
    try {
      file = openSync(path, O_WRONLY | O_CREAT | O_NONBLOCK | (exclusive ? O_EXCL : 0), 0o600);
    } catch (error) {
      if (exclusive && error.code === "EEXIST") return { said: { exists: true } };
      throw error;
    }
    try {
      requireFile(file);
      const data = readFileSync(0);
      ftruncateSync(file, 0);
      writeFileSync(file, data);
    } finally {
      closeSync(file);
    }
    return { said: { exists: false } };
  },
  list({ path }) {
    const entries = readdirSync(path, { withFileTypes: true });
    return {
      said: { entries: entries.map((e) => ({ name: e.name, isDirectory: e.isDirectory() })) },
    };
  },
  mkdir({ path }) {
    mkdirSync(path, { recursive: true });
    return { said: {} };
  },
  remove({ path, recursive, force }) {
    if (recursive) rmSync(path, { recursive, force });
    else {
      const found = lstatSync(path, { throwIfNoEntry: !force });
      if (found?.isDirectory()) rmdirSync(path);
      else if (found !== undefined) unlinkSync(path);
    }
    return { said: {} };
  },
  rename({ path, to }) {
    mkdirSync(dirname(to), { recursive: true });
    renameSync(path, to);
    return { said: {} };
  },
  stat({ path }) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return { said: { stat: null } };
    const type = found.isFile() ? "file" : found.isDirectory() ? "directory" : "other";
    return { said: { stat: { type, size: found.size, mtimeMs: found.mtimeMs } } };
  },
};

function requireFile(file) {
  if (fstatSync(file).isFile()) return;
  throw Object.assign(new Error("not a regular file"), { code: "EISDIR" });
}

let answer;
try {
  const job = JSON.parse(process.env.SEAWALL_JOB);
  answer = JOBS[job.do](job);
} catch (error) {
  answer = { said: { error: error.message, code: error.code } };
}
process.stdout.write(`${JSON.stringify(answer.said)}\n`);
if (answer.data !== undefined) process.stdout.write(answer.data);
