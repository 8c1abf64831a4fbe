// Runs inside a bot's wall, in its gateway: a sandbox backend of OpenClaw's (registerSandboxBackend() of its
// plugin SDK, 2026.9.6), which starts what an agent's tools do through seawall-launch, in a wall within the
// bot's. Which policy that is was written by Seawall where no bot writes; what stands here only decides which
// workspace it is for. There is a second one, whose commands run in containers outside of the bot's wall; its file
// tools are the same.
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import process from "node:process";
import { registerSandboxBackend } from "openclaw/plugin-sdk/sandbox";

const BACKEND = "seawall";
const CONTAINERS = "seawall-podman";
const LAUNCHER = "/opt/seawall/launch";
const LARGEST_OUTPUT = 100 * 1024 * 1024;
/** Skills that OpenClaw puts together for a sandbox appear to the agent here, in its workspace. */
const SKILLS = [".openclaw", "sandbox-skills", "skills"];

export default {
  id: "seawall-tools",
  name: "Seawall",
  description: "Runs an agent's tools in a wall of their own inside the bot's.",
  register(api) {
    for (const id of [BACKEND, CONTAINERS])
      registerSandboxBackend(id, {
        factory: async (params) => makeHandle(params, api.rootDir, id),
        // Nothing runs between two calls.
        manager: {
          describeRuntime: async () => ({ running: true, configLabelMatch: true }),
          removeRuntime: async () => undefined,
        },
        resolveWorkdir: ({ workspaceDir }) => workspaceDir,
      });
  },
};

function makeHandle({ workspaceDir, agentWorkspaceDir, cfg }, policies, id) {
  // Its wall is that of an agent's own workspace: OpenClaw's copies of it, read-only ones and those of several
  // agents are others.
  const own = workspaceDir === agentWorkspaceDir && cfg.workspaceAccess === "rw";
  if (!own || cfg.scope === "shared" || (cfg.docker.binds?.length ?? 0) > 0)
    throw new Error("the wall of an agent's tools is for its own workspace");
  const folder = () => requireWorkspace(workspaceDir);
  folder();
  const start = (policy, environment) => ({
    argv: [LAUNCHER, "--policy", join(policies, policy)],
    env: environment,
    cwd: folder(),
  });
  // A container has a /tmp of its own.
  const temporary = id === CONTAINERS ? "/tmp" : workspaceDir;
  const command = (text) =>
    id === CONTAINERS
      ? {
          argv: [process.execPath, "--no-warnings", join(policies, "container.mjs")],
          // What the agent is, and what it may run, is looked at by who is asked.
          env: { SEAWALL_AGENT: basename(workspaceDir), SEAWALL_SCRIPT: text },
          cwd: folder(),
        }
      : start("tools.policy", { SEAWALL_SCRIPT: text });
  return {
    id,
    runtimeId: `seawall-${basename(workspaceDir)}`,
    runtimeLabel: `seawall-${basename(workspaceDir)}`,
    workdir: workspaceDir,
    configLabel: id === CONTAINERS ? "a container" : "a wall within the bot's",
    configLabelKind: id === CONTAINERS ? "Container" : "Wall",
    buildExecSpec: async ({ command: text, workdir, env, usePty }) => ({
      ...command(script(text, { workdir, env }, workspaceDir, temporary)),
      stdinMode: usePty ? "pipe-open" : "pipe-closed",
    }),
    runShellCommand: async ({ script: text, args = [], stdin, allowFailure, signal }) => {
      const words = args.map(quote).join(" ");
      const whole = script(`set -- ${words}\n${text}`, { env: {} }, workspaceDir, temporary);
      const result = await run(command(whole), stdin, signal);
      if (result.code !== 0 && allowFailure !== true)
        throw new Error(result.stderr.toString().trim() || `exit status ${result.code}`);
      return result;
    },
    createFsBridge: ({ sandbox }) =>
      fsBridge(
        { root: workspaceDir, skills: sandbox.skillsWorkspaceDir },
        async (job, data, signal) =>
          await run(start("files.policy", { SEAWALL_JOB: JSON.stringify(job) }), data, signal),
      ),
  };
}

/** Other agents' tools may be outside of such a wall, and put something else there. */
function requireWorkspace(folder) {
  const place = join(process.env.HOME, "agents");
  if (dirname(folder) !== place || realpathSync(folder) !== folder)
    throw new Error("the wall of an agent's tools is for its own workspace");
  return folder;
}

/** The shell evaluates it; what the policy passes on is one variable. */
function script(command, { workdir, env }, root, temporary) {
  const variables = { HOME: root, ...env, TMPDIR: temporary };
  return [
    "unset SEAWALL_SCRIPT",
    ...Object.entries(variables)
      .filter(([name, value]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && typeof value === "string")
      .filter(([name]) => name !== "PATH" && name !== "PWD")
      .map(([name, value]) => `export ${name}=${quote(value)}`),
    `cd ${quote(workdir ?? root)} || exit 126`,
    command,
  ].join("\n");
}

function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function run({ argv: [program, ...args], env, cwd }, stdin, signal) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { env, cwd, signal });
    const out = [];
    const errors = [];
    let size = 0;
    const collect = (parts) => (part) => {
      size += part.length;
      if (size > LARGEST_OUTPUT) child.kill("SIGKILL");
      else parts.push(part);
    };
    child.stdout.on("data", collect(out));
    child.stderr.on("data", collect(errors));
    child.on("error", fail);
    // Whoever doesn't read all of it has said why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin);
    child.on("close", (code) =>
      done({ stdout: Buffer.concat(out), stderr: Buffer.concat(errors), code: code ?? 137 }),
    );
  });
}

/** The file tools: each call is a program in the wall. @param work does a job of files.mjs. */
function fsBridge({ root, skills }, work) {
  const skillsRoot = skills === undefined ? undefined : join(skills, "skills");
  const shownSkills = join(root, ...SKILLS);
  const place = ({ filePath, cwd }) => {
    const path = resolve(cwd ?? root, filePath);
    if (!isWithin(root, path))
      throw failure(`Path escapes sandbox root (${root}): ${filePath}`, "EACCES");
    const skill = skillsRoot !== undefined && isWithin(shownSkills, path);
    const hostPath = skill ? join(skillsRoot, relative(shownSkills, path)) : path;
    return { path, skill, hostPath };
  };
  const own = (params) => {
    const { path, skill } = place(params);
    if (skill) throw failure("skills can't be changed", "EROFS");
    return path;
  };
  const ask = async (job, { data, signal } = {}) => {
    const { stdout, stderr, code } = await work(job, data, signal);
    const end = stdout.indexOf(10);
    if (end < 0) throw new Error(stderr.toString().trim() || `file tool: exit status ${code}`);
    const said = JSON.parse(stdout.subarray(0, end).toString());
    if (said.error !== undefined) throw failure(said.error, said.code);
    return { ...said, data: stdout.subarray(end + 1) };
  };
  const readWithSource = async (params) => {
    const { path, skill, hostPath } = place(params);
    const { maxBytes } = params;
    // OpenClaw's own copies, in its state folder, which the wall doesn't show.
    if (skill) {
      const real = await realpath(hostPath);
      if (!isWithin(await realpath(skillsRoot), real)) throw failure("no such skill", "EACCES");
      const data = await readFile(real);
      if (maxBytes !== undefined && data.length > maxBytes)
        throw failure("file is too large", "EFBIG");
      return { data, canonicalPath: path };
    }
    const { data, canonical } = await ask({ do: "read", path, maxBytes }, params);
    return { data, canonicalPath: canonical, workspaceRelativePath: relative(root, canonical) };
  };
  const bytes = ({ data, encoding }) =>
    typeof data === "string" ? Buffer.from(data, encoding) : data;
  const write = async (params, exclusive) =>
    await ask(
      { do: "write", path: own(pinned(params)), mkdir: params.mkdir !== false, exclusive },
      { data: bytes(params), signal: params.signal },
    );
  return {
    pathMappings: [
      ...(skillsRoot === undefined ? [] : [{ hostRoot: skillsRoot, containerRoot: shownSkills }]),
      { hostRoot: root, containerRoot: root },
    ],
    resolvePath(params) {
      const { path, hostPath } = place(params);
      return { hostPath, relativePath: relative(root, path), containerPath: path };
    },
    async readDirectory(params) {
      const { entries } = await ask({ do: "list", path: own(params) }, { signal: params.signal });
      return entries;
    },
    readFile: async (params) => (await readWithSource(params)).data,
    readFileWithSource: readWithSource,
    writeFile: async (params) => void (await write(params, false)),
    createFileExclusive: async (params) =>
      (await write(params, true)).exists ? "exists" : "created",
    mkdirp: async (params) =>
      void (await ask({ do: "mkdir", path: own(pinned(params)) }, { signal: params.signal })),
    remove: async (params) => {
      const { recursive = false, force = false, signal } = params;
      await ask({ do: "remove", path: own(pinned(params)), recursive, force }, { signal });
    },
    rename: async ({ from, to, cwd, signal }) => {
      const job = {
        do: "rename",
        path: own({ filePath: from, cwd }),
        to: own({ filePath: to, cwd }),
      };
      await ask(job, { signal });
    },
    stat: async (params) => {
      const { path, skill, hostPath } = place(params);
      if (skill) return await statSkill(hostPath);
      const { stat } = await ask({ do: "stat", path }, { signal: params.signal });
      return stat;
    },
  };
}

/** Where the caller has been told to write; it is checked like any other. */
function pinned(params) {
  return params.pinnedPath === undefined ? params : { ...params, filePath: params.pinnedPath };
}

async function statSkill(path) {
  const { stat } = await import("node:fs/promises");
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return null;
  const type = found.isFile() ? "file" : found.isDirectory() ? "directory" : "other";
  return { type, size: found.size, mtimeMs: found.mtimeMs };
}

function isWithin(root, path) {
  const way = relative(root, path);
  return way === "" || (way !== ".." && !way.startsWith("../") && !isAbsolute(way));
}

function failure(message, code) {
  return Object.assign(new Error(message), { code });
}
