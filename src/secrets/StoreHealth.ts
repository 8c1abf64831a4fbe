/**
 * Something a store has to say while it works; the same shape as the broker's `health` messages, so
 * it can be sent on as it is. A warning stands until cleared.
 */
export type StoreHealth =
  | {
      readonly type: "health";
      readonly key: string;
      readonly warning: string;
      readonly remedy?: string;
    }
  | { readonly type: "health-clear"; readonly key: string };
