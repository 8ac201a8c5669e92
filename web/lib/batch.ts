/*
 * Many questions of one turn as one: what is asked for one at a time, within
 * some milliseconds, is fetched together.
 */

export function batched<T>(fetchMany: (keys: string[]) =>
  Promise<Map<string, T>>, most: number, wait = 20):
(key: string) => Promise<T | undefined> {
  let open: { keys: Map<string, Promise<T | undefined>>;
              all: Promise<Map<string, T>>; } | undefined;

  return (key) => {
    if (!open || open.keys.size >= most) {
      const keys = new Map<string, Promise<T | undefined>>();
      const mine = {
        keys,
        all: new Promise<Map<string, T>>((resolve, reject) => {
          setTimeout(() => {
            if (open === mine) {
              open = undefined;
            }
            fetchMany([...keys.keys()]).then(resolve, reject);
          }, wait);
        }),
      };
      open = mine;
    }
    const { keys, all } = open;
    const answer = keys.get(key) ?? all.then((found) => found.get(key));
    keys.set(key, answer);
    return answer;
  };
}
