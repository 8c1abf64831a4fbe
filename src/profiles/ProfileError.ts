import { SeawallError, type ExitCode } from "../faults/index.ts";

export type ProfileErrorCode =
  | "no-profile"
  | "profile-name"
  | "profile-twice"
  | "profile-loop"
  | "unreadable-profile"
  | "unsafe-profile"
  | "profile-exists"
  | "bad-path";

/** What can be wrong with a profile as a whole; what is wrong inside one is a DeclarationError. */
export class ProfileError extends SeawallError<ProfileErrorCode> {
  override get exitCode(): ExitCode {
    return this.code === "unsafe-profile" || this.code === "profile-loop" ? 3 : 2;
  }
}
