import type { StoreOrder } from "../StoreRequest.ts";

/**
 * The process that reads secrets from stores which the broker's wall keeps it from. It is given one
 * order over its channel, answers it with sealed values, and ends. Started without a channel it loads
 * what it may need and exits 2, which fills Node's compile cache.
 */
const { answerOrder } = await import("./answerOrder.ts");
const { protectMemory } = await import("../protectMemory.ts");

/** At once: a store's connection must not keep a process alive that has nothing more to say. */
function exit(code: number): never {
  // eslint-disable-next-line unicorn/no-process-exit -- this file is a program of its own, like cli/main
  process.exit(code);
}

if (process.send === undefined) exit(2);
protectMemory();
process.once("disconnect", () => exit(1));
process.once("message", (order) => {
  void answerOrder(order as StoreOrder).then((results) => {
    process.send?.(results, undefined, {}, () => exit(0));
  });
});
process.send({ type: "started" });
