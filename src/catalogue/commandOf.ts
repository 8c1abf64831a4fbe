import type { EntryCommand } from "./EntryCommand.ts";
import type { CredentialPlace, ServiceEntry } from "./ServiceEntry.ts";

/**
 * The command by which an agent asks for a service: the entry's own or, for any other HTTP service, `NAME-api`, which
 * makes the calls that the grant's rules allow. The ending keeps it apart from the programs of hosts (`gitlab`,
 * `ollama`). `undefined` where no command can be: code, logins that aren't HTTP, and credentials that stand only in
 * bodies, frames or signatures.
 */
export function commandOf(entry: ServiceEntry): EntryCommand | undefined {
  const { command, program, login, keyless, credential, name, title } = entry;
  if (command !== undefined) return command;
  if (program !== undefined || login !== undefined) return undefined;
  if (keyless !== true && !credential.some(isCarried)) return undefined;
  return {
    name: name.endsWith("-api") ? name : `${name}-api`,
    about: title,
    raw: true,
    operations: {},
  };
}

/** Whether a call that a command makes can carry the credential there. */
function isCarried({ header, basic, cookie, query, path }: CredentialPlace): boolean {
  return [header, basic, cookie, query, path].some((each) => each !== undefined);
}
