// How far away the place is, for one deed: asked of the device once, compared here, and forgotten. Where the phone is
// leaves it never, and is stored nowhere.
const DIAMETER = 12742017.6; // of the earth, in metres: as in marketplace/core/sphere.py
export const LONGEST = 12000; // milliseconds that a deed waits for its position

const radians = (degrees) => (degrees * Math.PI) / 180;

export function metres(one, other) {
  const north = Math.sin(radians(other.latitude - one.latitude) / 2) ** 2;
  const east = Math.sin(radians(other.longitude - one.longitude) / 2) ** 2;
  return Math.round(DIAMETER * Math.asin(Math.sqrt(north + Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * east)));
}

// {distance_m, accuracy_m} as far as they are known; neither where the device gives no position, or none in time: some
// never answer at all.
export function measure(place) {
  const late = new Promise((done) => setTimeout(done, LONGEST, {}));
  const found = new Promise((done) => {
    if (!navigator.geolocation) return done({});
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const accuracy_m = Math.ceil(coords.accuracy);
        done(place ? { distance_m: metres(coords, place), accuracy_m } : { accuracy_m });
      },
      () => done({}),
      { enableHighAccuracy: true, timeout: LONGEST, maximumAge: 30000 },
    );
  });
  return Promise.race([found, late]);
}
