// One source for all materials. The software renderer runs both sides of every `if`, so each material is a program of
// its own: the rasteriser puts `#define SKIN` (HAIR, FUR, EYE, TEETH, BROW, FRAME, LENS, MOUTH) before this text, with
// WRINKLED for skin that has creases and SHADOW_PASS for the shadow map.
in vec3 world;
in vec3 world_normal;
in vec2 texture_place;
in vec3 place;
in vec4 mask;
in vec4 light_place;
out vec4 result;

uniform sampler2D image;
uniform sampler2D shadow_map;
uniform vec3 camera;
uniform vec3 key_direction;
uniform vec3 key_colour;
uniform vec3 sky_colour;
uniform vec3 ground_colour;
uniform vec3 fill_direction;
uniform vec3 fill_colour;
uniform vec3 colour;           // of hair, frame, clothes, by material
uniform vec3 colour2;          // clothes on skin; grey hair on hair
uniform vec4 melanin;          // multiplies the skin's colour; w: smooth scalp
uniform vec3 bald_colour;
uniform vec4 wrinkles;         // depth, seed, freckles, roughness
uniform vec4 paint;            // lips, eye shadow, blush, stubble shade
uniform vec4 strands;          // shell height 0..1, density, strand scale, seed
uniform vec4 line_of_hair;     // shell region: recession, alpha, kind (0 scalp, 1 beard, 2 moustache, 3 goatee), frizz
uniform float neckline;
uniform float smile_folds;     // a smile folds young skin too

float line(float distance, float width) { return exp(-distance * distance / (width * width)); }

float bend(float x, float seed) { return noise(vec3(x, seed, 7.0)) - 0.5; }

#ifdef WRINKLED
// Height of the skin's creases; negative is deep. Depth grows with age.
float crease(vec3 p, float seed, float depth) {
    float h = 0.0;
    float x = p.x;
    float ax = abs(p.x);
    // forehead: four wavy lines that fade to the temples
    float forehead = smoothstep(0.36, 0.55, p.y) * (1.0 - smoothstep(1.15, 1.35, p.y)) * (1.0 - smoothstep(0.45, 0.85, ax));
    for (int i = 0; i < 4; i++) {
        float level = 0.55 + 0.17 * float(i) + 0.06 * bend(float(i) * 3.1, seed) + 0.12 * bend(x * 2.2 + float(i) * 9.0, seed) + 0.05 * x * x;
        h -= forehead * line(p.y - level, 0.026) * (0.5 + noise(vec3(x * 2.0, float(i), seed)));
    }
    // between the brows
    for (int side = -1; side <= 1; side += 2) {
        float d = x - float(side) * (0.10 + 0.03 * bend(p.y * 3.0, seed + float(side)));
        h -= 0.8 * line(d, 0.022) * smoothstep(0.10, 0.22, p.y) * (1.0 - smoothstep(0.36, 0.48, p.y));
    }
    float eyes = 0.0;
    // crow's feet: three lines that fan out from the outer corner of the eye
    vec2 corner = vec2(ax - 0.80, p.y + 0.02);
    float r = length(corner);
    float angle = atan(corner.y, corner.x);
    float fan = smoothstep(0.03, 0.10, r) * (1.0 - smoothstep(0.22, 0.42, r)) * smoothstep(0.0, 0.05, corner.x);
    for (int i = -1; i <= 1; i++) {
        float d = (angle - 0.48 * float(i) - 0.25 * bend(r * 6.0 + float(i) * 5.0, seed)) * r;
        eyes += 0.8 * fan * line(d, 0.020);
    }
    h -= eyes;
    // below the eye: two arcs
    for (int i = 0; i < 2; i++) {
        vec2 q = vec2(ax - 0.48, p.y + 0.02);
        float radius = length(q * vec2(0.75, 1.0)) - (0.20 + 0.09 * float(i) + 0.03 * bend(ax * 5.0, seed + float(i)));
        h -= 0.7 * line(radius, 0.024) * smoothstep(0.05, 0.12, -q.y) * (1.0 - smoothstep(0.30, 0.42, abs(q.x)));
    }
    // from the nose to the corner of the mouth
    float t = clamp((-0.48 - p.y) / 0.62, 0.0, 1.0);
    float fold = ax - (0.30 + 0.22 * t + 0.05 * sin(3.1 * t) + 0.04 * bend(t * 3.0, seed));
    float folds = 1.5 * line(fold, 0.030) * smoothstep(-0.44, -0.56, p.y) * (1.0 - smoothstep(-0.98, -1.12, p.y) * 1.0);
    h -= folds;
    // down from the corner of the mouth
    float down = ax - (0.42 + 0.05 * bend(p.y * 4.0, seed));
    h -= 0.9 * line(down, 0.024) * smoothstep(-1.02, -1.12, p.y) * (1.0 - smoothstep(-1.28, -1.42, p.y));
    // fine upright lines above the lip
    h -= 0.35 * line(mod(x + 0.03 * bend(p.y * 9.0, seed), 0.075) - 0.0375, 0.012)
        * smoothstep(-0.68, -0.74, p.y) * (1.0 - smoothstep(-0.84, -0.88, p.y)) * (1.0 - smoothstep(0.22, 0.34, ax));
    // cheeks: faint slanting lines
    float slant = p.y + 0.9 * ax + 0.10 * bend(ax * 5.0, seed + 3.0);
    h -= 0.35 * line(mod(slant, 0.16) - 0.08, 0.018) * smoothstep(0.50, 0.80, ax) * smoothstep(-0.1, -0.3, p.y)
        * smoothstep(-1.35, -1.0, p.y) * noise(vec3(p.xy * 5.0, seed));
    float neck = 1.0 - smoothstep(-1.75, -1.6, p.y);
    h -= 0.7 * neck * line(mod(p.y + 0.06 * bend(x * 2.0, seed), 0.22) - 0.11, 0.02);
    return h * depth - smile_folds * (0.7 * folds + eyes);
}

#endif

float visibility() {
    vec3 p = light_place.xyz / light_place.w * 0.5 + 0.5;
    if (any(lessThan(p, vec3(0.0))) || any(greaterThan(p, vec3(1.0)))) return 1.0;
#if defined(FUR) || defined(HAIR)
    return step(p.z - 0.012, texture(shadow_map, p.xy).r);  // hair is ragged anyhow
#endif
    float lit = 0.0;
    vec2 texel = 1.0 / vec2(textureSize(shadow_map, 0));
    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++)
            lit += step(p.z - 0.006, texture(shadow_map, p.xy + vec2(i, j) * texel * 1.7).r);
    return lit / 9.0;
}

void main() {
    vec4 texel = texture(image, texture_place);
    float threshold = hash(ivec3(gl_FragCoord.xy, int(place.z * 977.0))) * 0.96 + 0.02;
    vec3 n = normalize(world_normal);
    vec3 view = normalize(camera - world);
#ifndef SKIN
    if (dot(n, view) < 0.0) n = -n;
#endif
    float seed = wrinkles.y;
    vec3 albedo = pow(texel.rgb, vec3(2.2));
    float gloss = 0.0;
    float sharpness = 24.0;
    vec3 wrap = vec3(0.0);

#ifdef SKIN
    float tone = dot(albedo, vec3(0.3, 0.6, 0.1));
    albedo = mix(albedo, bald_colour * (0.92 + 0.16 * noise(place * 6.0)), mask.x * melanin.w);
    albedo *= melanin.rgb;
    // skin is never one colour: blotches, freckles, pores
    float blotch = noise(place * 3.1 + seed) - 0.5;
    albedo *= 1.0 + blotch * vec3(0.10, 0.16, 0.16) * min(wrinkles.w, 1.2);
    float spots = smoothstep(0.70, 0.82, noise(place * 38.0 + seed)) * smoothstep(0.45, 0.7, noise(place * 4.0 - seed));
    albedo *= 1.0 - wrinkles.z * spots * vec3(0.30, 0.45, 0.50);
    albedo *= 1.0 + wrinkles.w * 0.10 * (noise(place * 45.0) - 0.5);
    float cheek = line(length((place.xy * vec2(sign(place.x), 1.0) - vec2(0.62, -0.45)) * vec2(1.0, 1.2)), 0.30);
    albedo *= 1.0 + (0.25 + paint.z) * cheek * vec3(0.10, -0.14, -0.10);
    float nose_tip = line(length(place.xy - vec2(0.0, -0.42)), 0.16);
    albedo *= 1.0 + nose_tip * vec3(0.05, -0.07, -0.05);
    // make-up
    albedo = mix(albedo, albedo * colour * 2.1, mask.z * paint.x);
    float lid = line(length((vec2(abs(place.x), place.y) - vec2(0.50, 0.12)) * vec2(0.9, 1.6)), 0.17);
    albedo *= 1.0 - paint.y * lid * vec3(0.55, 0.6, 0.5);
    // a shaven beard shows through the skin
    albedo *= 1.0 - paint.w * mask.y * vec3(0.42, 0.38, 0.30) * (0.8 + 0.4 * noise(place * 30.0));
#ifdef WRINKLED
    float h = crease(place, seed, wrinkles.x);
    albedo *= exp(h * vec3(0.22, 0.34, 0.36));
    // bend the normal along the height's slope on the screen
    vec3 dx = dFdx(world), dy = dFdy(world);
    float scale = 0.020;
    vec3 r1 = cross(dy, n), r2 = cross(n, dx);
    float det = dot(dx, r1);
    vec3 slope = sign(det) * (dFdx(h) * r1 + dFdy(h) * r2) * scale;
    if (abs(det) > 1e-9) n = normalize(abs(det) * n - slope);
#endif
    if (place.y < neckline + 0.35 * place.x * place.x * 0.2) { albedo = colour2 * (0.85 + 0.3 * noise(place * 14.0)); gloss = 0.0; }
    else { gloss = 0.35 + 0.5 * mask.z * paint.x; wrap = vec3(0.42, 0.20, 0.13); sharpness = 18.0; }
#endif
#ifdef HAIR
    float alpha = texel.a;
    if (alpha < threshold) discard;
    float value = dot(texel.rgb, vec3(0.34, 0.5, 0.16));
    float white = smoothstep(0.0, 1.0, strands.y * 1.6 - 0.6 * noise(place * vec3(19.0, 4.0, 19.0) + seed));
    albedo = mix(colour, colour2, white) * (0.35 + 1.5 * value) * (0.7 + 0.6 * noise(place * vec3(40.0, 5.0, 40.0)));
    gloss = 0.25; sharpness = 30.0; wrap = vec3(0.25);
#endif
#ifdef FUR
    float region = line_of_hair.z < 0.5 ? mask.x : mask.y;
    float ax = abs(place.x);
    if (line_of_hair.z < 0.5) {
        // hair line: recedes first at the temples, then at the crown
        float ragged = 0.10 * (noise(place * 7.0 + seed) - 0.5);
        float hairline = 1.02 + 0.55 * line_of_hair.x + 0.40 * line_of_hair.x * line(ax - 0.55, 0.30) - 0.16 * smoothstep(0.5, 1.0, ax) + ragged;
        float front = smoothstep(-0.8, 0.1, place.z);
        region *= mix(1.0, smoothstep(hairline - 0.12, hairline + 0.10, place.y), front);
        float crown = smoothstep(0.55, 0.95, line_of_hair.x) * smoothstep(0.9, 1.35, place.y);
        region *= 1.0 - crown;
    } else if (line_of_hair.z < 1.5) {
        region *= 1.0;
    } else if (line_of_hair.z < 2.5) {
        region *= smoothstep(-0.98, -0.90, place.y) * (1.0 - smoothstep(0.38, 0.52, ax));
    } else {
        region *= 1.0 - smoothstep(0.40, 0.52, ax);
    }
    vec3 grain = place * strands.z;
    float curl = line_of_hair.w;
    if (curl > 0.12) grain += curl * 2.0 * vec3(noise(place * 9.0), noise(place * 9.0 + 31.0), noise(place * 9.0 + 67.0));
    grain += strands.x * vec3(0.0, 1.6, -0.6);
    float hairs = noise(vec3(grain.x, grain.y * mix(0.28, 1.0, curl), grain.z * mix(0.45, 1.0, curl)) + strands.w);
    float alive = smoothstep(strands.x * 0.75, strands.x * 0.75 + 0.25, hairs * 0.75 + 0.35 * region);
    float alpha = alive * smoothstep(0.05, 0.6, region) * strands.y * line_of_hair.y;
    if (alpha < threshold) discard;
    float white = smoothstep(0.25, 0.75, paint.x * 1.5 - 0.5 * hairs);
    albedo = mix(colour, colour2, white) * (0.55 + 0.8 * hairs) * (0.55 + 0.5 * strands.x);
    gloss = 0.12; sharpness = 24.0; wrap = vec3(0.3);
#endif
#ifdef EYE
    if (texel.a < 0.4) discard;
    albedo = min(pow(texel.rgb, vec3(2.2)) * 1.05, vec3(0.8));
    gloss = 1.6; sharpness = 140.0; wrap = vec3(0.3);
#endif
#ifdef TEETH
    albedo = colour; gloss = 0.4; sharpness = 50.0; n = view; wrap = vec3(0.6);
#endif
#ifdef BROW
    if (texel.a * strands.y < threshold) discard;
    albedo = mix(colour, colour2, strands.x * noise(place * 30.0)); wrap = vec3(0.3);
#endif
#ifdef FRAME
    albedo = colour; gloss = 0.9; sharpness = 60.0; wrap = vec3(0.2);
#endif
#ifdef LENS
#ifdef SHADOW_PASS
    if (strands.y < threshold) discard;
#endif
    albedo = colour; gloss = 1.5; sharpness = 50.0;
#endif
#ifdef MOUTH
    albedo = colour; wrap = vec3(0.3);
#endif

#ifdef SHADOW_PASS
    result = vec4(1.0);
    return;
#endif
    float occlusion = mix(1.0, mask.w, 0.75);
    float lit = visibility();
#ifdef EYE
    occlusion = 0.75;
#endif
#ifdef TEETH
    lit = max(lit, 0.7);
#endif
    float facing = dot(n, key_direction);
    vec3 diffuse = clamp((facing + wrap) / (1.0 + wrap), 0.0, 1.0);
    // light bleeds red where it grazes the skin
    vec3 shade = vec3(lit);
#ifdef SKIN
    shade = pow(vec3(max(lit, 0.02)), vec3(0.6, 0.9, 1.0));
#endif
    vec3 key = key_colour * diffuse * shade;
    vec3 ambient = mix(ground_colour, sky_colour, 0.5 + 0.5 * n.y) * occlusion;
    vec3 fill = fill_colour * clamp((dot(n, fill_direction) + 0.3) / 1.3, 0.0, 1.0) * mix(0.5, 1.0, occlusion);
    vec3 light = albedo * (key + ambient + fill);
    vec3 halfway = normalize(key_direction + view);
    float fresnel = 0.04 + 0.5 * pow(1.0 - clamp(dot(n, view), 0.0, 1.0), 5.0);
    light += gloss * key_colour * lit * pow(max(dot(n, halfway), 0.0), sharpness) * (sharpness * 0.010) * (0.35 + fresnel);
    light += gloss * fresnel * ambient * 0.35;
#ifdef LENS
    result = vec4(light, strands.y);  // the one material that is blended
#else
    result = vec4(light, 1.0);
#endif
}
