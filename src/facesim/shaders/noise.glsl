// Value noise from an integer hash: the same bits on every run.
float hash(ivec3 p) {
    uint n = uint(p.x) * 1597334677u ^ uint(p.y) * 3812015801u ^ uint(p.z) * 2798796415u;
    n = (n ^ (n >> 15)) * 2246822519u;
    n = (n ^ (n >> 13)) * 3266489917u;
    return float((n ^ (n >> 16)) & 0xffffffu) / 16777215.0;
}
float noise(vec3 p) {
    vec3 cell = floor(p);
    vec3 f = p - cell;
    f = f * f * (3.0 - 2.0 * f);
    ivec3 c = ivec3(cell);
    return mix(
        mix(mix(hash(c), hash(c + ivec3(1, 0, 0)), f.x), mix(hash(c + ivec3(0, 1, 0)), hash(c + ivec3(1, 1, 0)), f.x), f.y),
        mix(mix(hash(c + ivec3(0, 0, 1)), hash(c + ivec3(1, 0, 1)), f.x),
            mix(hash(c + ivec3(0, 1, 1)), hash(c + ivec3(1, 1, 1)), f.x), f.y), f.z);
}
