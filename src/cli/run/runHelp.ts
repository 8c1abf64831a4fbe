export async function runHelp(..._: readonly unknown[]): Promise<number> {
  return 0;
}
