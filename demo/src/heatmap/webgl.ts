import type { Tile } from '../engine/protocol';
import type { Scale } from './colors';
import { Kept } from './kept';
import type { HeatmapRenderer } from './renderer';

/** Two triangles over the tile's rectangle; `at` runs from 0 to 1 over it, downwards and to the right. */
const vertexShader = `#version 300 es
uniform vec4 rectangle;
out vec2 at;
void main() {
  at = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  vec2 place = rectangle.xy + at * rectangle.zw;
  gl_Position = vec4(place.x * 2.0 - 1.0, 1.0 - place.y * 2.0, 0.0, 1.0);
}`;

/** The colour number is reckoned as colors.ts does; no filter touches a cell. */
const fragmentShader = (position: string) => `#version 300 es
precision highp float;
precision highp sampler2D;
uniform sampler2D cells;
uniform sampler2D colors;
in vec2 at;
out vec4 color;
void main() {
  ivec2 size = textureSize(cells, 0);
  float value = texelFetch(cells, clamp(ivec2(at * vec2(size)), ivec2(0), size - 1), 0).r;
  float position = clamp(${position}, 0.0, 1.0);
  color = texelFetch(colors, ivec2(int(floor(position * 255.0 + 0.5)), 0), 0);
}`;

const positions = {
  weights: 'sqrt(clamp(value, 0.0, 1.0))',
  differences: '0.5 + 0.5 * sign(value) * sqrt(abs(value))',
};

/** One texture of R32F a tile, looked up in the colour table; null where there is no WebGL2. */
export function createWebglRenderer(
  canvas: HTMLCanvasElement,
  scale: Scale,
  onLost: () => void,
): HeatmapRenderer | null {
  // Pictures are saved and read back after they were drawn.
  const gl = canvas.getContext('webgl2', { alpha: true, antialias: false, depth: false, preserveDrawingBuffer: true });
  if (!gl) return null;
  const program = programOf(gl, vertexShader, fragmentShader(positions[scale.name]));
  if (!program) return null;
  const rectangle = gl.getUniformLocation(program, 'rectangle');
  const textures = new Kept(
    (tile: Tile) => texture(gl, () => upload(gl, tile)),
    (one) => gl.deleteTexture(one),
  );
  gl.useProgram(program);
  gl.uniform1i(gl.getUniformLocation(program, 'cells'), 0);
  gl.uniform1i(gl.getUniformLocation(program, 'colors'), 1);
  gl.activeTexture(gl.TEXTURE1);
  texture(gl, () => {
    const table = Uint8Array.from({ length: 1024 }, (_, i) =>
      i % 4 === 3 ? 255 : scale.channels[(i >> 2) * 3 + (i % 4)],
    );
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, table);
  });
  gl.activeTexture(gl.TEXTURE0);
  canvas.addEventListener('webglcontextlost', onLost);

  return {
    name: 'webgl2',
    draw(tiles, { top, left, rows, columns }) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      for (const tile of tiles) {
        const {
          rows: [r0, r1],
          columns: [c0, c1],
        } = tile;
        gl.bindTexture(gl.TEXTURE_2D, textures.get(tile));
        gl.uniform4f(rectangle, (c0 - left) / columns, (r0 - top) / rows, (c1 - c0) / columns, (r1 - r0) / rows);
        gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
      }
    },
    dispose() {
      canvas.removeEventListener('webglcontextlost', onLost);
      textures.clear();
      gl.getExtension('WEBGL_lose_context')?.loseContext();
    },
  };
}

function upload(gl: WebGL2RenderingContext, { size: [rows, columns], cells }: Tile): void {
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, columns, rows, 0, gl.RED, gl.FLOAT, cells);
}

function texture(gl: WebGL2RenderingContext, fill: () => void): WebGLTexture {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
    gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
  fill();
  return made;
}

function programOf(gl: WebGL2RenderingContext, ...sources: [vertex: string, fragment: string]): WebGLProgram | null {
  const program = gl.createProgram();
  [gl.VERTEX_SHADER, gl.FRAGMENT_SHADER].forEach((type, i) => {
    const shader = gl.createShader(type);
    if (!shader) return;
    gl.shaderSource(shader, sources[i]);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  });
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}
