export async function saveProfile(..._: readonly unknown[]): Promise<number> {
  return 0;
}
