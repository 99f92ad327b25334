/**
 * Like `Promise.all` over `map`, with at most `width` under way, begun in the order of the items; results are in that
 * order, too. Where `goOn` says no, nothing more is begun, and the results are those of what was.
 */
export async function inTurns<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
  goOn: () => boolean = () => true,
): Promise<R[]> {
  const results: { at: number; result: R }[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    while (goOn()) {
      const next = queue.next();
      if (next.done === true) return;
      const [at, item] = next.value;
      results.push({ at, result: await work(item) });
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results.toSorted((a, b) => a.at - b.at).map(({ result }) => result);
}

/** Runs what it is given one after the other, in the order in which it was asked; one that rejects does not stop the next. */
export function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  };
}
