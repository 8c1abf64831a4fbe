import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failed, readValidation, type ConfigIssue } from "../readValidation.ts";
import type { RenderedOpenClaw } from "../renderConfig.ts";

/** About 2 s are usual, 10 on a busy machine. */
const TIMEOUT_MILLISECONDS = 120_000;

/**
 * Has the pinned OpenClaw judge a rendered configuration: `openclaw config validate --json`, with
 * the environment the gateway will run with. State, home and configuration are those of a fresh
 * temporary folder, so nothing that a bot may have written is read; variables that will hold
 * phantoms and the token hold placeholders.
 *
 * @param installed `InstalledOpenClaw.entry`.
 * @param node `InstalledNode.entry`.
 * @returns OpenClaw's objections; none means that it takes the configuration.
 * @throws OpenClawError `openclaw-failed` when it doesn't come to a judgement.
 */
export async function validateConfig(
  installed: { readonly entry: string },
  node: { readonly entry: string },
  rendered: RenderedOpenClaw,
): Promise<ConfigIssue[]> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-validate-"));
  try {
    for (const name of ["state", "home", "tmp"]) mkdirSync(join(folder, name));
    const config = join(folder, "openclaw.json");
    writeFileSync(config, rendered.config);
    const output = await run(
      node.entry,
      [installed.entry, "config", "validate", "--json"],
      folder,
      {
        ...Object.fromEntries(
          rendered.variables.map((name) => [name, "placeholder-0123456789abcdef"]),
        ),
        ...withoutCas(rendered.environment),
        HOME: join(folder, "home"),
        OPENCLAW_CONFIG_PATH: config,
        OPENCLAW_STATE_DIR: join(folder, "state"),
        TMPDIR: join(folder, "tmp"),
      },
    );
    return readValidation(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The bundle with the deployment's CA exists inside walls only, and nothing is fetched here. */
function withoutCas(environment: Readonly<Record<string, string>>): Record<string, string> {
  const ca = environment["NODE_EXTRA_CA_CERTS"];
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ca));
}

async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string>,
): Promise<string> {
  return await new Promise((resolve, reject) => {
    const options = { cwd, env, timeout: TIMEOUT_MILLISECONDS, maxBuffer: 16 << 20 };
    execFile(program, args, options, (error, stdout, stderr) => {
      // Exit 1 with a report means objections; without one, something else is wrong.
      if (error !== null && !stdout.trimStart().startsWith("{")) {
        reject(failed("it ended early", stderr, error));
      } else {
        resolve(stdout);
      }
    });
  });
}
