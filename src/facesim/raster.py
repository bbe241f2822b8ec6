"""Draw triangles with OpenGL, through EGL: it needs no screen and, with Mesa, no graphics card."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from facesim.mesh import Floats, Ints

# One thread a process: the renderer runs a process on each core, and results must not depend on their number.
os.environ.setdefault("LP_NUM_THREADS", "0")

SKIN, HAIR, FUR, EYE, TEETH, BROW = "SKIN", "HAIR", "FUR", "EYE", "TEETH", "BROW"
FRAME, LENS, MOUTH = "FRAME", "LENS", "MOUTH"
WRINKLED, SHADOW_PASS = "WRINKLED", "SHADOW_PASS"
_CUT_OUT = (HAIR, FUR, BROW, LENS)  # materials with holes, in the shadow map too
SHADOW_SIZE = 384
Uniforms = dict[str, Sequence[float] | NDArray[np.floating]]


@dataclass
class Layer:
    """One mesh with its material; arrays have a row for each corner."""

    material: str
    positions: Floats  # (n, 3) decimetres
    normals: Floats  # (n, 3)
    uv: Floats  # (n, 2)
    canon: Floats  # (n, 3) place on the neutral adult face, in eye distances
    masks: Floats  # (n, 4) scalp, beard, lips, occlusion
    triangles: Ints  # (m, 3)
    texture: str | None = None  # name in the bank, or None
    uniforms: Uniforms = field(default_factory=dict)
    casts_shadow: bool = True
    wrinkled: bool = False


@dataclass(frozen=True)
class Lights:
    """Linear RGB; directions point towards the light."""

    key_direction: tuple[float, float, float]
    key_colour: tuple[float, float, float]
    sky_colour: tuple[float, float, float]
    ground_colour: tuple[float, float, float]
    fill_direction: tuple[float, float, float]
    fill_colour: tuple[float, float, float]


class Rasteriser:
    """An OpenGL context with the textures of the bank and a shader program for each material."""

    def __init__(self, size: int, textures: dict[str, np.ndarray]) -> None:
        self.size = size
        self.context = moderngl.create_context(standalone=True, backend="egl")  # type: ignore[arg-type]
        shaders = files("facesim") / "shaders"
        self._vertex = (shaders / "surface.vert").read_text()
        self._fragment = (shaders / "noise.glsl").read_text() + (shaders / "surface.frag").read_text()
        self._programs: dict[tuple[str, ...], moderngl.Program] = {}
        self.colour = self.context.texture((size, size), 4, dtype="f2")
        self.frame = self.context.framebuffer([self.colour], self.context.depth_renderbuffer((size, size)))
        self.shadow_depth = self.context.depth_texture((SHADOW_SIZE, SHADOW_SIZE))
        self.shadow_depth.compare_func = ""
        self.shadow = self.context.framebuffer([], self.shadow_depth)
        # Coverage stays whole where a lens is blended over it.
        colour_and_coverage = (
            moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA, moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA,
        )  # fmt: skip
        self.context.blend_func = colour_and_coverage  # type: ignore[assignment]  # its stub knows two factors only
        self.images = {name: self._upload(image) for name, image in textures.items()}
        self.blank = self._upload(np.full((2, 2, 4), 255, np.uint8))

    def _upload(self, image: np.ndarray) -> moderngl.Texture:
        size = (image.shape[1], image.shape[0])
        texture = self.context.texture(size, 4, np.ascontiguousarray(image[::-1]).tobytes())
        texture.build_mipmaps()
        return texture

    def set_texture(self, name: str, image: np.ndarray) -> None:
        """Upload an RGBA image, shape (height, width, 4) uint8, under a name."""
        if name in self.images:
            self.images[name].write(np.ascontiguousarray(image[::-1]).tobytes())
            self.images[name].build_mipmaps()
        else:
            self.images[name] = self._upload(image)

    def draw(
        self,
        layers: list[Layer],
        view_projection: Floats,
        camera: Floats,
        light_projection: Floats,
        lights: Lights,
    ) -> Floats:
        """Draw the shadow map, then the picture.

        Parameters
        ----------
        layers : what to draw
        view_projection, light_projection : shape (4, 4), from ``facesim.scene``
        camera : the camera's place, shape (3,), decimetres
        lights : colours and directions of the light

        Returns
        -------
        Linear RGB and coverage, shape (size, size, 4) float32, first row at the top.
        """
        self.context.enable(moderngl.DEPTH_TEST)
        common = {"camera": camera, **vars(lights)}
        buffers = [self._buffers(layer) for layer in layers]
        passes = ((self.shadow, light_projection, True), (self.frame, view_projection, False))
        for target, matrix, shadow_pass in passes:
            target.use()
            target.clear(0.0, 0.0, 0.0, 0.0)
            if not shadow_pass:
                self.shadow_depth.use(1)
            matrices = {"view_projection": matrix, "light_projection": light_projection}
            for layer, (vertices, index) in zip(layers, buffers, strict=True):
                if shadow_pass and not layer.casts_shadow:
                    continue
                program = self._program(layer, shadow_pass)
                _set(program, {**matrices, **common, **layer.uniforms})
                (self.images[layer.texture] if layer.texture else self.blank).use(0)
                content = [_only_used(program, vertices)]
                array = self.context.vertex_array(program, content, index)
                # The far side of skin and fur is hidden: not drawing it saves a tenth of the time.
                facing = layer.material in (SKIN, FUR) and not shadow_pass
                (self.context.enable if facing else self.context.disable)(moderngl.CULL_FACE)
                blended = layer.material == LENS and not shadow_pass
                (self.context.enable if blended else self.context.disable)(moderngl.BLEND)
                array.render()
                array.release()
        pixels = np.frombuffer(self.frame.read(components=4, dtype="f2"), np.float16)
        for pair in buffers:
            for buffer in pair:
                buffer.release()
        return pixels.reshape(self.size, self.size, 4)[::-1].astype(np.float32)

    def depth(self, layer: Layer, projection: Floats) -> Floats:
        """Depth of a layer in [0, 1], shape (SHADOW_SIZE, SHADOW_SIZE), first row at the bottom."""
        self.context.enable(moderngl.DEPTH_TEST)
        self.context.disable(moderngl.CULL_FACE | moderngl.BLEND)
        self.shadow.use()
        self.shadow.clear()
        program = self._program(layer, shadow_pass=True)
        _set(program, {"view_projection": projection})
        vertices, index = self._buffers(layer)
        array = self.context.vertex_array(program, [_only_used(program, vertices)], index)
        array.render()
        for held in (array, vertices, index):
            held.release()
        return np.frombuffer(self.shadow_depth.read(), np.float32).reshape(SHADOW_SIZE, SHADOW_SIZE)

    def _program(self, layer: Layer, shadow_pass: bool) -> moderngl.Program:
        """The program of a layer's material, compiled when it is first needed."""
        flags: tuple[str, ...] = (layer.material,)
        if shadow_pass:
            flags = (layer.material if layer.material in _CUT_OUT else FRAME, SHADOW_PASS)
        elif layer.wrinkled:
            flags += (WRINKLED,)
        if flags not in self._programs:
            defines = "#version 330\n" + "".join(f"#define {flag}\n" for flag in flags)
            program = self.context.program(self._vertex, defines + self._fragment)
            _set(program, {"image": 0, "shadow_map": 1})
            self._programs[flags] = program
        return self._programs[flags]

    def _buffers(self, layer: Layer) -> tuple[moderngl.Buffer, moderngl.Buffer]:
        rows = np.concatenate([layer.positions, layer.normals, layer.uv, layer.canon, layer.masks], axis=1)
        vertices = self.context.buffer(rows.astype("f4").tobytes())
        return vertices, self.context.buffer(layer.triangles.astype("i4").tobytes())


_ATTRIBUTES = {"position": 3, "normal": 3, "uv": 2, "canon": 3, "masks": 4}


def _only_used(program: moderngl.Program, vertices: moderngl.Buffer) -> tuple[Any, ...]:
    """The layout of a vertex buffer, padded where the compiler found an attribute unused."""
    used = [name for name in _ATTRIBUTES if name in program]
    layout = " ".join(f"{size}f" if name in used else f"{4 * size}x" for name, size in _ATTRIBUTES.items())
    return (vertices, layout, *used)


def _set(program: moderngl.Program, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        uniform = program.get(name, None)
        if not isinstance(uniform, moderngl.Uniform):  # the compiler dropped what this material does not read
            continue
        if isinstance(value, np.ndarray) and value.ndim == 2:
            uniform.write(value.T.astype("f4").tobytes())
        elif isinstance(value, int):
            uniform.value = value
        else:
            numbers = tuple(float(number) for number in value)
            uniform.value = numbers if len(numbers) > 1 else numbers[0]
