/** By what this user may bound the resources of many processes together. */
export type CgroupAccess =
  /** Groups may be made in `folder`, and get these controllers there. */
  | {
      readonly kind: "v2";
      readonly folder: string;
      readonly controllers: readonly ("memory" | "pids" | "cpu")[];
    }
  /** The folder in which groups may be made, by controller. */
  | {
      readonly kind: "v1";
      readonly folders: Readonly<Partial<Record<"memory" | "pids" | "cpu", string>>>;
    }
  /** systemd makes them: `user` = this user's own manager. */
  | { readonly kind: "systemd"; readonly program: string; readonly user: boolean }
  | { readonly kind: "none"; readonly reason: string; readonly remedy?: string };
