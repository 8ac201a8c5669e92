/* Prometheus text, as /metrics answers it. */

export type Labels = Record<string, string>;

export interface Sample {
  name: string;
  labels: Labels;
  value: number;
}

export function parse(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match) {
      continue;
    }
    const labels: Labels = {};
    for (const [, name, value] of (match[2] ?? '')
      .matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      if (name !== undefined && value !== undefined) {
        labels[name] = value;
      }
    }
    const value = Number(match[3]);
    if (match[1] !== undefined && Number.isFinite(value)) {
      samples.push({ name: match[1], labels, value });
    }
  }
  return samples;
}

/** The sum of all series of that name with those labels. */
export function sum(samples: Sample[], name: string, labels: Labels = {}):
number {
  return samples
    .filter((s) => s.name === name && Object.entries(labels)
      .every(([key, value]) => s.labels[key] === value))
    .reduce((total, { value }) => total + value, 0);
}
