export async function runWatched(..._: readonly unknown[]): Promise<number> {
  return 0;
}
