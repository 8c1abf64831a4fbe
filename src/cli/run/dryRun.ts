export async function dryRun(..._: readonly unknown[]): Promise<number> {
  return 0;
}
