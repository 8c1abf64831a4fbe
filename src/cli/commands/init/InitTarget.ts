import type { Answers } from "./Answers.ts";
import type { ChosenStore, OfferedStores } from "./collectSecrets.ts";
import type { Flags } from "./Flags.ts";
import type { Interview } from "./Interview.ts";
import type { NewFile } from "./writeAnswers.ts";

/** What `seawall init` makes of the answers: one file for here, or the flake of a machine. */
export interface InitTarget {
  /** The file without which the others don't count; absolute. */
  readonly file: string;
  /** Where the files lie, if it may be made for them. */
  readonly folder?: string;
  /** Whether that may be in the place of another. */
  readonly replace: boolean;
  readonly stores: (answers: Pick<Answers, "domain">) => OfferedStores;
  /** Asks for what only this target takes. */
  readonly ask: (interview: Interview, flags: Flags) => Promise<InitMaker>;
}

export interface InitMaker {
  /** The last of them is `file`. */
  readonly files: (
    answers: Answers,
    chosen: Pick<ChosenStore, "kind" | "place">,
  ) => readonly NewFile[];
  /** The one command that comes next, and what there is to know before. */
  readonly next: (
    answers: Answers,
    chosen: Pick<ChosenStore, "kind" | "place">,
  ) => { readonly command: string; readonly remarks: readonly string[] };
}
