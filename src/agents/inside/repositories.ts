import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Jobs, MadeRepository, RepositoryPlace } from "./Job.ts";
import { Git } from "./Git.ts";
import { JobError } from "./JobError.ts";
import { describe, whose } from "./marks.ts";
import { Rest, textOf, valueOf } from "./Rest.ts";

type Hosted = Exclude<RepositoryPlace, { kind: "path" }>;
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Makes a private repository, or takes up the one that this run made before, or that an earlier deletion
 * archived. https://docs.gitea.com/api, https://docs.github.com/en/rest/repos/repos
 *
 * @throws JobError `exists` for one that is neither.
 */
export async function makeRepository(
  { place, name, mark, existing }: Jobs["make-repository"]["takes"],
  env: Environment,
): Promise<MadeRepository> {
  if (place.kind === "path") return makeBare(place.path, mark, existing);
  const rest = restOf(place, env);
  const url = `${place.web}/${place.owner}/${name}.git`;
  const at = `/repos/${place.owner}/${name}`;
  let found = await rest.call("GET", at);
  if (found.status === 404) {
    const made = await create(rest, place, { name, mark });
    // Somebody was quicker, or an earlier run whose answer was lost.
    if (made) return { created: true, restored: false, url };
    found = await rest.call("GET", at);
  }
  if (found.status >= 300) throw rest.refusal(found, "show the repository");
  const owner = whose(textOf(found.body, "description"), mark);
  const archived = valueOf(found.body, "archived") === true;
  if (owner === "this run") return { created: true, restored: false, url };
  if (!existing && owner === "others")
    throw new JobError("exists", `there is a repository ${place.owner}/${name} already`);
  if (archived)
    await rest.must("PATCH", at, "take the repository out of the archive", { archived: false });
  return { created: false, restored: archived, url };
}

async function create(
  rest: Rest,
  place: Hosted,
  { name, mark }: { readonly name: string; readonly mark: string },
): Promise<boolean> {
  const { owner } = place;
  const wanted = {
    name,
    private: true,
    description: describe("Workspace of an agent", mark),
    auto_init: false,
    ...(place.kind === "gitea" ? { default_branch: "main" } : {}),
  };
  let made = await rest.call("POST", `/orgs/${owner}/repos`, wanted);
  if (made.status === 404) {
    // Not an organisation: the account's own.
    const me = textOf(await rest.must("GET", "/user", "say whose account this is"), "login");
    if (me?.toLowerCase() !== owner.toLowerCase())
      throw new JobError(
        "refused",
        `there is no organisation "${owner}", or this account isn't in it`,
      );
    made = await rest.call("POST", "/user/repos", wanted);
  }
  if (made.status === 409 || made.status === 422) return false;
  if (made.status >= 300) throw rest.refusal(made, "make a repository");
  if (valueOf(made.body, "private") !== true) {
    await rest.call("DELETE", `/repos/${owner}/${name}`);
    throw new JobError("refused", "the repository would have been public");
  }
  return true;
}

/** Archives or deletes a repository; one that is gone, or isn't this run's where that is asked, is left. */
export async function dropRepository(
  { place, name, mark, how }: Jobs["drop-repository"]["takes"],
  env: Environment,
): Promise<{ readonly dropped: boolean }> {
  if (place.kind === "path") return dropBare(place.path, mark, how);
  const rest = restOf(place, env);
  const at = `/repos/${place.owner}/${name}`;
  const found = await rest.call("GET", at);
  if (found.status === 404) return { dropped: false };
  if (found.status >= 300) throw rest.refusal(found, "show the repository");
  if (mark !== undefined && whose(textOf(found.body, "description"), mark) !== "this run")
    return { dropped: false };
  if (how === "archive") {
    if (valueOf(found.body, "archived") === true) return { dropped: false };
    await rest.must("PATCH", at, "archive the repository", { archived: true });
  } else {
    const gone = await rest.call("DELETE", at);
    if (gone.status >= 300 && gone.status !== 404)
      throw rest.refusal(gone, "delete the repository");
  }
  return { dropped: true };
}

function restOf({ kind, api, variable }: Hosted, env: Environment): Rest {
  const scheme = kind === "gitea" ? "token" : "Bearer";
  return new Rest(kind, api, `${scheme} ${env[variable] ?? ""}`);
}

/** Says of a bare repository what a server would know. */
const DESCRIPTION = "description";
const ARCHIVED = "seawall-archived";

/** The folder is there, and empty when it is new. */
async function makeBare(path: string, mark: string, existing: boolean): Promise<MadeRepository> {
  const archived = existsSync(join(path, ARCHIVED));
  const owner = whose(descriptionOf(path), mark);
  // The description is written first: what a run that was killed left is known by it.
  const fresh = readdirSync(path).length === 0;
  if (!fresh && !existing && owner === "others")
    throw new JobError("exists", "there is something else in this folder already");
  if (fresh) writeFileSync(join(path, DESCRIPTION), `${describe("Workspace of an agent", mark)}\n`);
  if (!existsSync(join(path, "HEAD")) || !existsSync(join(path, "refs")))
    await new Git({ gitDir: path }).run([
      "init",
      "--quiet",
      "--bare",
      "--initial-branch=main",
      path,
    ]);
  rmSync(join(path, ARCHIVED), { force: true });
  return { created: fresh || owner === "this run", restored: archived, url: path };
}

function dropBare(
  path: string,
  mark: string | undefined,
  how: "archive" | "delete",
): { readonly dropped: boolean } {
  if (!existsSync(path) || readdirSync(path).length === 0) return { dropped: false };
  if (mark !== undefined && whose(descriptionOf(path), mark) !== "this run")
    return { dropped: false };
  if (how === "archive") {
    writeFileSync(join(path, ARCHIVED), "");
    return { dropped: true };
  }
  // The description last, so that a second run knows it as ours.
  for (const name of readdirSync(path))
    if (name !== DESCRIPTION) rmSync(join(path, name), { recursive: true, force: true });
  rmSync(join(path, DESCRIPTION), { force: true });
  return { dropped: true };
}

function descriptionOf(path: string): string {
  const file = join(path, DESCRIPTION);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
