-- 200,000 invented taxi trips in the shape of New York's yellow cab records.

CREATE SCHEMA taxi;

CREATE TABLE taxi.trips (
  trip_id               bigint PRIMARY KEY,
  vendor_id             bigint,
  pickup_at             timestamp,
  dropoff_at            timestamp,
  passenger_count       double precision,
  trip_distance         double precision,
  rate_code             double precision,
  store_and_forward     text,
  pickup_location       bigint,
  dropoff_location      bigint,
  payment_type          bigint,
  fare_amount           double precision,
  extra                 double precision,
  mta_tax               double precision,
  tip_amount            double precision,
  tolls_amount          double precision,
  improvement_surcharge double precision,
  total_amount          double precision,
  congestion_surcharge  double precision,
  airport_fee           double precision
);

SELECT setseed(0.25);

INSERT INTO taxi.trips
SELECT i, vendor, pickup, pickup + make_interval(secs => minutes * 60), CASE WHEN unknown THEN NULL ELSE passengers END, distance,
  CASE WHEN unknown THEN NULL ELSE rate END, CASE WHEN unknown THEN NULL WHEN forwarded THEN 'Y' ELSE 'N' END, zone_from, zone_to, paid,
  fare, extra, 0.5, tip, tolls, 0.3, round((fare + extra + 0.5 + tip + tolls + 0.3 + 2.5)::numeric, 2)::float8,
  CASE WHEN unknown THEN NULL ELSE 2.5 END, CASE WHEN unknown THEN NULL WHEN zone_from IN (132, 138) THEN 1.25 ELSE 0 END
FROM (
  SELECT i, 1 + (random() < 0.7)::int AS vendor, timestamp '2026-01-01' + make_interval(secs => i * 13.0 + random() * 600) AS pickup,
    floor(2 + 28 * random() * random())::int AS minutes, random() < 0.03 AS unknown, floor(1 + 4 * random() * random())::float8 AS passengers,
    round((0.4 + 18 * random() * random() * random())::numeric, 2)::float8 AS distance, CASE WHEN random() < 0.95 THEN 1 ELSE 2 END::float8 AS rate,
    random() < 0.01 AS forwarded, 1 + floor(265 * random())::bigint AS zone_from, 1 + floor(265 * random())::bigint AS zone_to,
    1 + (random() < 0.25)::int AS paid, round((3 + 40 * random() * random())::numeric, 1)::float8 AS fare, (ARRAY[0, 0.5, 1, 2.5])[1 + floor(random() * 4)::int]::float8 AS extra,
    round((8 * random() * random())::numeric, 2)::float8 AS tip, CASE WHEN random() < 0.06 THEN 6.55 ELSE 0 END::float8 AS tolls
  FROM generate_series(1, 200000) AS i
) AS trip;
