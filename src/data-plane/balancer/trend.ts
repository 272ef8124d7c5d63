// A straight line through what was measured lately: weighted least squares in which every new point makes the older ones count a
// little less. Sums instead of a recursion over a covariance: the same line, but nothing can wind up where all points
// have one x. The line never falls and never goes below zero at x = 0, for nothing that is measured here does.

const FORGETTING = 0.98;

export class Trend {
  #weight = 0;
  #x = 0;
  #y = 0;
  #xx = 0;
  #xy = 0;
  #intercept = 0;
  #slope = 0;

  /** Begins as if `weight` points had been seen at each of two places of a line. */
  constructor(intercept: number, slope: number, far: number, weight = 1) {
    for (const x of [1, Math.max(2, far)]) this.#sum(x, intercept + slope * x, weight);
    this.#fit();
  }

  get intercept(): number {
    return this.#intercept;
  }

  get slope(): number {
    return this.#slope;
  }

  at(x: number): number {
    return this.#intercept + this.#slope * x;
  }

  add(x: number, y: number): void {
    this.#weight *= FORGETTING;
    this.#x *= FORGETTING;
    this.#y *= FORGETTING;
    this.#xx *= FORGETTING;
    this.#xy *= FORGETTING;
    this.#sum(x, y, 1);
    this.#fit();
  }

  #sum(x: number, y: number, weight: number): void {
    this.#weight += weight;
    this.#x += weight * x;
    this.#y += weight * y;
    this.#xx += weight * x * x;
    this.#xy += weight * x * y;
  }

  #fit(): void {
    const meanX = this.#x / this.#weight;
    const meanY = this.#y / this.#weight;
    const variance = this.#xx / this.#weight - meanX * meanX;
    const covariance = this.#xy / this.#weight - meanX * meanY;
    // Where all points have one x the old slope is as good as any.
    const slope = variance > 1e-6 * (1 + meanX * meanX) ? covariance / variance : this.#slope;
    this.#slope = Math.min(Math.max(0, slope), meanX > 0 ? meanY / meanX : 0);
    this.#intercept = meanY - this.#slope * meanX;
  }
}
