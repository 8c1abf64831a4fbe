import { resolve } from "node:path";
import { ownStores } from "./collectSecrets.ts";
import { printDeclaration } from "./composeDeclaration.ts";
import type { InitTarget } from "./InitTarget.ts";
import { quoteWord } from "./quoteWord.ts";

const FILE = "seawall.json5";

/** A declaration for this machine, in one file. */
export function declarationTarget(name: string | undefined, replace: boolean): InitTarget {
  const file = resolve(name ?? FILE);
  return {
    file,
    replace,
    stores: ownStores,
    ask: () =>
      Promise.resolve({
        files: (answers) => [{ path: file, text: printDeclaration(answers) }],
        next: ({ domain }) => ({ command: nextCommand(domain, file), remarks: [] }),
      }),
  };
}

function nextCommand(domain: string, file: string): string {
  const verb =
    domain === ""
      ? "seawall up"
      : process.getuid?.() === 0
        ? "seawall switch"
        : "sudo seawall switch";
  return file === resolve(FILE) ? verb : `${verb} ${quoteWord(file)}`;
}
