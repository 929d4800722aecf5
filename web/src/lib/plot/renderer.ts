/**
 * A scatter plot of a million points on WebGL2, without a library.
 *
 * Points are drawn when something changed and never in a loop. States decide what is in front:
 * points that do not match are grey and behind, selected ones in front of all.
 */

import type { Bitset } from '../bitset';

export interface View {
  /** Centre in data coordinates, and data units per CSS pixel. */
  x: number;
  y: number;
  scale: number;
}

export const STATE_REST = 0;
export const STATE_MATCH = 1;
export const STATE_SELECTED = 2;
export const STATE_HIDDEN = 3;

/** While the view moves, only so many points are drawn: software rendering keeps up with that. */
const MOVING_POINTS = 120_000;

const VERTEX = `#version 300 es
precision highp float;
in float x;
in float y;
in uint code;
in uint state;
uniform vec2 center;
uniform vec2 toClip;
uniform float size;
uniform sampler2D palette;
uniform vec3 rest;
uniform float isDimmed;
out vec3 color;
void main() {
  if (state == 3u || isnan(x) || isnan(y)) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    gl_PointSize = 0.0;
    return;
  }
  vec3 own = texelFetch(palette, ivec2(int(code), 0), 0).rgb;
  bool isRest = state == 0u;
  bool isSelected = state == 2u;
  color = isRest ? rest : (isDimmed > 0.5 && !isSelected ? mix(own, rest, 0.72) : own);
  float depth = isSelected ? -0.5 : (isRest ? 0.5 : 0.0);
  gl_Position = vec4((vec2(x, y) - center) * toClip, depth, 1.0);
  gl_PointSize = isSelected ? size * 1.35 : (isRest ? size * 0.8 : size);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec3 color;
uniform float isRound;
out vec4 pixel;
void main() {
  if (isRound > 0.5 && distance(gl_PointCoord, vec2(0.5)) > 0.5) discard;
  pixel = vec4(color, 1.0);
}`;

export class PlotRenderer {
  view: View = { x: 0, y: 0, scale: 1 };
  background: readonly [number, number, number] = [255, 255, 255];
  rest: readonly [number, number, number] = [210, 215, 224];
  isDimmed = false;

  private gl: WebGL2RenderingContext;
  private program!: WebGLProgram;
  private buffers: WebGLBuffer[] = [];
  private sample: WebGLBuffer | null = null;
  private texture: WebGLTexture | null = null;
  private xs = new Float32Array();
  private ys = new Float32Array();
  private codes: Uint8Array = new Uint8Array();
  private states: Uint8Array = new Uint8Array();
  private palette: Uint8Array = new Uint8Array(1024);
  private pending = 0;
  private settle: ReturnType<typeof setTimeout> | undefined;
  private isLost = false;
  /** Called after each drawing, with whether all points were drawn. */
  onDrawn: (isWhole: boolean) => void = () => {};

  /** Throws when the browser has no WebGL2. */
  constructor(private readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext('webgl2', { antialias: false, alpha: false, depth: true });
    if (!gl) throw new Error('This browser has no WebGL2.');
    this.gl = gl;
    canvas.addEventListener('webglcontextlost', this.lose);
    canvas.addEventListener('webglcontextrestored', this.restore);
    this.setUp();
  }

  destroy(): void {
    cancelAnimationFrame(this.pending);
    clearTimeout(this.settle);
    this.canvas.removeEventListener('webglcontextlost', this.lose);
    this.canvas.removeEventListener('webglcontextrestored', this.restore);
    this.gl.getExtension('WEBGL_lose_context')?.loseContext();
  }

  setPoints(xs: Float32Array, ys: Float32Array): void {
    this.xs = xs as Float32Array<ArrayBuffer>;
    this.ys = ys as Float32Array<ArrayBuffer>;
    if (this.codes.length !== xs.length) this.codes = new Uint8Array(xs.length);
    if (this.states.length !== xs.length) this.states = new Uint8Array(xs.length).fill(STATE_MATCH);
    this.upload();
  }

  setColors(codes: Uint8Array, palette: Uint8Array): void {
    this.codes = codes;
    this.palette = palette;
    this.fill(2, codes);
    this.uploadPalette();
    this.draw();
  }

  setStates(states: Uint8Array): void {
    this.states = states;
    this.fill(3, states);
    this.draw();
  }

  /** Fits the view around a box in data coordinates; `rightPx` pixels at the right stay free. */
  fit(bounds: readonly [number, number, number, number], rightPx = 0): void {
    const [left, bottom, right, top] = bounds;
    const { clientWidth, clientHeight } = this.canvas;
    const wide = (right - left || 1) / Math.max(1, (clientWidth - rightPx) * 0.9);
    const high = (top - bottom || 1) / Math.max(1, clientHeight * 0.9);
    const scale = Math.max(wide, high);
    this.view = { x: (left + right) / 2 + (rightPx / 2) * scale, y: (bottom + top) / 2, scale };
    this.draw();
  }

  toData(left: number, top: number): [number, number] {
    const { clientWidth, clientHeight } = this.canvas;
    return [
      this.view.x + (left - clientWidth / 2) * this.view.scale,
      this.view.y - (top - clientHeight / 2) * this.view.scale,
    ];
  }

  toScreen(x: number, y: number): [number, number] {
    const { clientWidth, clientHeight } = this.canvas;
    return [
      clientWidth / 2 + (x - this.view.x) / this.view.scale,
      clientHeight / 2 - (y - this.view.y) / this.view.scale,
    ];
  }

  /** Zooms by a factor so that the point under the pointer stays there. */
  zoom(factor: number, left: number, top: number): void {
    const [x, y] = this.toData(left, top);
    const scale = this.view.scale * factor;
    const share = scale / this.view.scale;
    this.view = { x: x + (this.view.x - x) * share, y: y + (this.view.y - y) * share, scale };
    this.drawMoving();
  }

  pan(dx: number, dy: number): void {
    const { x, y, scale } = this.view;
    this.view = { x: x - dx * scale, y: y + dy * scale, scale };
    this.drawMoving();
  }

  /** Index of the point nearest to a place on the screen, of those that are not hidden; -1 for none. */
  findNearest(left: number, top: number, reach = 10): number {
    const [x, y] = this.toData(left, top);
    let best = (reach * this.view.scale) ** 2;
    let found = -1;
    const { xs, ys, states } = this;
    for (let index = 0; index < xs.length; index++) {
      if (states[index] === STATE_HIDDEN || states[index] === STATE_REST) continue;
      const dx = xs[index] - x;
      const dy = ys[index] - y;
      const distance = dx * dx + dy * dy;
      if (distance < best) {
        best = distance;
        found = index;
      }
    }
    return found;
  }

  draw(): void {
    this.schedule(true);
  }

  private drawMoving(): void {
    if (this.xs.length <= MOVING_POINTS * 1.5) return this.draw();
    this.schedule(false);
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.draw(), 140);
  }

  private schedule(isWhole: boolean): void {
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.render(isWhole));
  }

  private render(isWhole: boolean): void {
    const { gl, canvas } = this;
    if (this.isLost) return;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    gl.viewport(0, 0, width, height);
    const [red, green, blue] = this.background;
    gl.clearColor(red / 255, green / 255, blue / 255, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    if (this.xs.length) {
      this.setUniforms(width, height, ratio);
      if (isWhole || !this.sample) gl.drawArrays(gl.POINTS, 0, this.xs.length);
      else gl.drawElements(gl.POINTS, MOVING_POINTS, gl.UNSIGNED_INT, 0);
    }
    this.onDrawn(isWhole);
  }

  private setUniforms(width: number, height: number, ratio: number): void {
    const { gl, program, view } = this;
    const at = (name: string) => gl.getUniformLocation(program, name);
    const size = pointSize(this.xs.length) * ratio;
    gl.useProgram(program);
    gl.uniform2f(at('center'), view.x, view.y);
    gl.uniform2f(
      at('toClip'),
      (2 * ratio) / (view.scale * width),
      (2 * ratio) / (view.scale * height),
    );
    gl.uniform1f(at('size'), size);
    gl.uniform1f(at('isRound'), size >= 4 ? 1 : 0);
    gl.uniform1f(at('isDimmed'), this.isDimmed ? 1 : 0);
    gl.uniform3f(at('rest'), ...(this.rest.map((part) => part / 255) as [number, number, number]));
  }

  private setUp(): void {
    const { gl } = this;
    this.program = link(gl);
    this.buffers = [0, 1, 2, 3].map(() => gl.createBuffer()!);
    this.texture = gl.createTexture();
    this.sample = null;
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    if (this.xs.length) this.upload();
    this.uploadPalette();
  }

  private upload(): void {
    const { gl, program } = this;
    [this.xs, this.ys, this.codes, this.states].forEach((values, place) => {
      const location = gl.getAttribLocation(program, ['x', 'y', 'code', 'state'][place]);
      this.fill(place, values);
      gl.enableVertexAttribArray(location);
      if (place < 2) gl.vertexAttribPointer(location, 1, gl.FLOAT, false, 0, 0);
      else gl.vertexAttribIPointer(location, 1, gl.UNSIGNED_BYTE, 0, 0);
    });
    this.makeSample();
    this.draw();
  }

  private fill(place: number, values: ArrayBufferView): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[place]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
  }

  private makeSample(): void {
    const { gl } = this;
    const count = this.xs.length;
    if (count <= MOVING_POINTS * 1.5) {
      this.sample = null;
      return;
    }
    // Steps that share no factor with the count visit every point once, spread over all of them.
    const step = findStep(count);
    const chosen = new Uint32Array(MOVING_POINTS);
    for (let place = 0, index = 0; place < MOVING_POINTS; place++) {
      chosen[place] = index;
      index = (index + step) % count;
    }
    this.sample ??= gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.sample);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, chosen, gl.STATIC_DRAW);
  }

  private uploadPalette(): void {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, this.palette);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  private lose = (event: Event): void => {
    // Without this the browser does not give the context back.
    event.preventDefault();
    this.isLost = true;
  };

  private restore = (): void => {
    this.isLost = false;
    this.setUp();
    this.draw();
  };
}

/** What each point is: among those that match, selected, or the rest. */
export function makeStates(count: number, matching: Bitset | null, selection: Bitset): Uint8Array {
  const states = new Uint8Array(count);
  if (!matching) states.fill(STATE_MATCH);
  else mark(states, matching, STATE_MATCH);
  mark(states, selection, STATE_SELECTED);
  return states;
}

function mark(states: Uint8Array, set: Bitset, state: number): void {
  const { bytes } = set;
  for (let place = 0; place < bytes.length; place++) {
    const byte = bytes[place];
    if (byte === 0) continue;
    // Writing beyond the end of an array of bytes does nothing.
    for (let bit = 0, at = place * 8; bit < 8; bit++, at++)
      if (byte & (1 << bit)) states[at] = state;
  }
}

/** Diameter of a point in CSS pixels. */
export function pointSize(count: number): number {
  if (count <= 500) return 9;
  if (count <= 3_000) return 7;
  if (count <= 20_000) return 5;
  if (count <= 150_000) return 3;
  return 2;
}

export function findStep(count: number): number {
  let step = Math.max(1, Math.floor(count * 0.618034));
  while (gcd(step, count) !== 1) step++;
  return step;
}

function gcd(a: number, b: number): number {
  return b ? gcd(b, a % b) : a;
}

function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error('The graphics driver refuses the plot.');
  }
  return program;
}
