#version 330
// One vertex shader for every material, and for the shadow map (with the light's matrix as `view_projection`).
in vec3 position;
in vec3 normal;
in vec2 uv;
in vec3 canon;   // where this point lies on the neutral adult face, in eye distances from between the eyes
in vec4 masks;   // scalp, beard, lips, occlusion
uniform mat4 view_projection;
uniform mat4 light_projection;
out vec3 world;
out vec3 world_normal;
out vec2 texture_place;
out vec3 place;
out vec4 mask;
out vec4 light_place;
void main() {
    world = position;
    world_normal = normal;
    texture_place = uv;
    place = canon;
    mask = masks;
    light_place = light_projection * vec4(position, 1.0);
    gl_Position = view_projection * vec4(position, 1.0);
}
