import type { ServiceEntry } from "../../../catalogue/index.ts";
import type { DeclaredGrant } from "../../../declaration/index.ts";
import { DeclarationError } from "../../../declaration/index.ts";
import { HostError, loadDeclaration } from "../../../host/index.ts";
import { declaredEntry } from "../../../plan/index.ts";

/** What a declaration says of services. */
export interface DeclaredServices {
  /** The declaration; absent where there is none. */
  readonly file?: string;
  /** It has faults, so nothing of it is known. */
  readonly faulty?: DeclarationError;
  /** Its own services, by name. */
  readonly entries: ReadonlyMap<string, ServiceEntry>;
  /** Which bots are granted a service, and how. */
  readonly grantsOf: (service: string) => readonly DeclaredGrantOf[];
}

export interface DeclaredGrantOf {
  readonly bot: string;
  readonly grant: DeclaredGrant;
  /** Commands that exist inside. */
  readonly commands: readonly string[];
}

/**
 * Reads what the declaration says of services. The catalogue can be looked at without one, or with one that is wrong.
 *
 * @param file as given; without it the usual one, which need not be there.
 * @throws DeclarationError or HostError for a file that was named.
 */
export function readDeclared(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): DeclaredServices {
  const nothing = { entries: new Map<string, ServiceEntry>(), grantsOf: () => [] };
  try {
    const { file: path, declaration } = loadDeclaration(file, env);
    const { services, bots } = declaration;
    return {
      file: path,
      entries: new Map(
        Object.entries(services).map(([name, each]) => [name, declaredEntry(name, each)]),
      ),
      grantsOf: (service) =>
        Object.entries(bots).flatMap(([bot, { grants, exec }]) => {
          const grant = Object.hasOwn(grants, service) ? grants[service] : undefined;
          return grant === undefined ? [] : [{ bot, grant, commands: exec?.allow ?? [] }];
        }),
    };
  } catch (error) {
    if (file !== undefined) throw error;
    if (error instanceof DeclarationError) return { ...nothing, faulty: error };
    if (error instanceof HostError && error.code === "no-declaration") return nothing;
    throw error;
  }
}
