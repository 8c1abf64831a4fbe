import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { lacking } from "./lacking.ts";
import type { Ran } from "./runSeawall.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const STORE = "/nix/store";
const LIBC = `${STORE}/abc-glibc/lib`;
/** Seawall, as its package has it. */
export const SEAWALL = `${STORE}/abc-seawall/lib/seawall`;
/** Where git of this machine looks for what it fetches by; nixpkgs' looks in its own package. */
const GIT_CORE = "/usr/lib/git-core";

/** Why there can be no such root here. */
export function lacksNixosRoot(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  if (process.arch !== "x64") return "programs are patched for x86-64";
  if (!existsSync(`${GIT_CORE}/git-remote-http`)) return "git is missing";
  return (
    lacking("patchelf", ["--version"]) ||
    lacking("bwrap", ["--version"]) ||
    lacking("systemd-creds", ["--version"])
  );
}

/**
 * A root with nothing but what a NixOS has: programs in the store that name their loader and libraries there
 * (patchelf(1)), no library and no program elsewhere but /bin/sh, and a system in force that is in the store.
 */
export class NixosRoot {
  readonly #folder: string;
  readonly #tools: readonly string[];

  /** @param folder that can be traversed by everybody, and isn't there yet. */
  constructor(folder: string) {
    this.#folder = folder;
    for (const path of [LIBC, "/bin", "/root", "/run", "/tmp", "/var/lib", SEAWALL])
      mkdirSync(join(folder, path), { recursive: true });
    const programs = {
      nodejs: [process.execPath],
      git: ["/usr/bin/git"],
      bubblewrap: [found("bwrap")],
      coreutils: [found("sync")],
      dash: ["/usr/bin/dash"],
      systemd: [found("systemd-creds")],
    };
    this.#tools = Object.keys(programs).map((name) => `${STORE}/abc-${name}/bin`);
    for (const [name, paths] of Object.entries(programs))
      for (const path of paths) this.#put(path, `${STORE}/abc-${name}/bin/${basename(path)}`);
    cpSync("/usr/share/git-core", join(folder, STORE, "abc-git/share/git-core"), {
      recursive: true,
    });
    for (const name of ["git-remote-http", "git-remote-https"])
      this.#put(`${GIT_CORE}/${name}`, `${GIT_CORE}/${name}`);
    symlinkSync(`${STORE}/abc-dash/bin/dash`, join(folder, "bin/sh"));
  }

  /**
   * This machine's Chromium as nixpkgs has it: the program itself beside its data, and in place of one of its
   * libraries a link to another package's.
   *
   * @returns the program
   */
  putChromium(chromium: string): string {
    const to = `${STORE}/abc-chromium/libexec/chromium`;
    cpSync(dirname(chromium), join(this.#folder, to), {
      recursive: true,
      filter: (path) => path !== chromium,
    });
    this.#put(chromium, `${to}/chromium`);
    const loader = `${STORE}/abc-vulkan-loader/lib`;
    mkdirSync(join(this.#folder, loader), { recursive: true });
    const vulkan = join(this.#folder, to, "libvulkan.so.1");
    renameSync(vulkan, join(this.#folder, loader, "libvulkan.so.1.4"));
    symlinkSync("libvulkan.so.1.4", join(this.#folder, loader, "libvulkan.so.1"));
    symlinkSync(`${loader}/libvulkan.so.1`, vulkan);
    return `${to}/chromium`;
  }

  /** The node of its store. */
  get node(): string {
    return `${STORE}/abc-nodejs/bin/${basename(process.execPath)}`;
  }

  write(path: string, text: string): void {
    mkdirSync(join(this.#folder, dirname(path)), { recursive: true });
    writeFileSync(join(this.#folder, path), text);
  }

  /** Makes what `path` names, in the store, the system that is in force. */
  switchTo(path: string): void {
    mkdirSync(join(this.#folder, "etc/seawall"), { recursive: true });
    symlinkSync(path, join(this.#folder, "etc/seawall/current"));
  }

  /** Runs one of our programs in there, as root. */
  run(main: string, args: readonly string[], cwd = "/root"): Promise<Ran> {
    return this.start([this.node, `${SEAWALL}/${main}`, ...args], "", cwd);
  }

  /** @param program of one of its packages, or a whole path */
  async start([program = "", ...args]: readonly string[], input: string, cwd = "/"): Promise<Ran> {
    const child = spawn(
      found("bwrap"),
      [
        `--cap-add ALL --die-with-parent --bind ${this.#folder} /`,
        // Not a new one: within it no wall could have one of its own (mount_too_revealing()).
        "--bind /proc /proc --dev-bind /dev /dev --bind /sys /sys",
        `--ro-bind ${PROJECT} ${SEAWALL} --clearenv --setenv HOME /root`,
        `--setenv PATH ${this.#tools.join(":")} --chdir ${cwd} --`,
      ]
        .flatMap((words) => words.split(" "))
        .concat(program, args),
      { stdio: ["pipe", "pipe", "pipe"] },
    );
    child.stdin.end(input);
    const out = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => (out[name] += text));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, ...out };
  }

  #put(from: string, to: string): void {
    const path = join(this.#folder, to);
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(from, path);
    chmodSync(path, 0o755);
    const { stdout } = spawnSync("ldd", [path], { encoding: "utf8" });
    for (const [, file = ""] of stdout.matchAll(/(\/\S+) \(0x/g)) {
      const library = join(this.#folder, LIBC, basename(file));
      if (existsSync(library)) continue;
      copyFileSync(file, library);
      if (!/^(?:ld-linux|libc\.so)/.test(basename(file))) patch(library, []);
    }
    patch(path, ["--set-interpreter", `${LIBC}/ld-linux-x86-64.so.2`]);
  }
}

function patch(path: string, more: readonly string[]): void {
  const { status, stderr } = spawnSync("patchelf", [...more, "--set-rpath", LIBC, path], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`patchelf: ${stderr}`);
}

function found(name: string): string {
  const path = (process.env["PATH"] ?? "")
    .split(":")
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
  if (path === undefined) throw new Error(`${name} is missing`);
  return path;
}
