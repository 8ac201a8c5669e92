/*
 * Where cards stand: each in the column that ends first, so none begins above
 * one that came before it.  A card takes some bytes, and what stands is not
 * counted anew when more come.
 */

export class Columns {
  readonly gap: number;
  readonly each: number;
  count = 0;
  private tops = new Int32Array(256);
  private heights = new Uint16Array(256);
  private lanes = new Uint8Array(256);
  /** Where the next card of each column would begin. */
  private readonly next: number[];
  private tallest = 0;

  constructor(columns: number, gap: number, each: number) {
    this.gap = gap;
    this.each = each;
    this.next = new Array<number>(columns).fill(0);
  }

  add(height: number): void {
    const lane = this.next.indexOf(Math.min(...this.next));
    const top = this.next[lane] ?? 0;

    if (this.count === this.tops.length) {
      const tops = new Int32Array(2 * this.count);
      const heights = new Uint16Array(2 * this.count);
      const lanes = new Uint8Array(2 * this.count);
      tops.set(this.tops);
      heights.set(this.heights);
      lanes.set(this.lanes);
      Object.assign(this, { tops, heights, lanes });
    }
    this.tops[this.count] = top;
    this.heights[this.count] = height;
    this.lanes[this.count] = lane;
    this.count++;
    this.next[lane] = top + height + this.gap;
    this.tallest = Math.max(this.tallest, height);
  }

  top(index: number): number {
    return this.tops[index] ?? 0;
  }

  height(index: number): number {
    return this.heights[index] ?? 0;
  }

  left(index: number): number {
    return (this.lanes[index] ?? 0) * (this.each + this.gap);
  }

  /** Of all of them. */
  get size(): number {
    return this.count > 0 ? Math.max(...this.next) - this.gap : 0;
  }

  /** From the top of one to the top of the next, or to the end. */
  step(index: number): number {
    return (index + 1 < this.count ? this.top(index + 1) : this.size)
      - this.top(index);
  }

  /** The first one that reaches below the top of this one. */
  reaching(index: number): number {
    const line = this.top(index);
    let first = index;
    for (let i = index - 1; i >= 0 && this.top(i) + this.tallest > line; i--) {
      if (this.top(i) + this.height(i) > line) {
        first = i;
      }
    }
    return first;
  }
}
