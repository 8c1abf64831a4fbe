import { chmodSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../files/index.ts";
import { asAgentError } from "./AgentFiles.ts";
import type { AgentHost } from "./AgentHost.ts";

/** Brings the declared skills to where all agents of the bot read them, and takes away what isn't there any more. */
export function putSkills({ agents, files }: Pick<AgentHost, "agents" | "files">): void {
  const root = join(files.live, "skills");
  const wanted = agents.skills();
  try {
    mkdirSync(root, { recursive: true, mode: 0o755 });
    for (const { path, base64 } of wanted) {
      mkdirSync(dirname(join(root, path)), { recursive: true, mode: 0o755 });
      writeFileAtomic(join(root, path), Buffer.from(base64, "base64"), 0o644);
    }
    const keep = new Set(wanted.map(({ path }) => path));
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isDirectory()) chmodSync(path, 0o755);
      else if (!keep.has(path.slice(root.length + 1))) rmSync(path);
    }
  } catch (error) {
    throw asAgentError(error);
  }
}
