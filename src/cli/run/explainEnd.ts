export async function explainEnd(..._: readonly unknown[]): Promise<number> {
  return 0;
}
