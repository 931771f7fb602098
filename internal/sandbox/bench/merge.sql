-- Changes to trips: rows that take the place of those of their keys. hashint8 scatters keys, and the order of rows.
create view trips_changed as select "VendorID"+1 "VendorID", tpep_pickup_datetime + interval '1 second' tpep_pickup_datetime, tpep_dropoff_datetime + interval '1 second' tpep_dropoff_datetime,
 coalesce(passenger_count,0)+1 passenger_count, trip_distance+0.25 trip_distance, coalesce("RatecodeID",0)+1 "RatecodeID", case when store_and_fwd_flag='N' then 'Y' else 'N' end store_and_fwd_flag,
 "PULocationID"+1 "PULocationID", "DOLocationID"+1 "DOLocationID", payment_type+1 payment_type, fare_amount+0.5 fare_amount, extra+0.5 extra, mta_tax+0.5 mta_tax, tip_amount+0.5 tip_amount,
 tolls_amount+0.5 tolls_amount, improvement_surcharge+0.5 improvement_surcharge, total_amount+0.5 total_amount, coalesce(congestion_surcharge,0)+0.5 congestion_surcharge, coalesce(airport_fee,0)+0.5 airport_fee, pk_id
 from trips;
create table trips_uniform as select * from trips_changed where hashint8(pk_id) % 100 = 0 order by hashint8(pk_id+1);
alter table trips_uniform add primary key (pk_id);
create table trips_three_columns as select t."VendorID", t.tpep_pickup_datetime, c.tpep_dropoff_datetime, t.passenger_count, t.trip_distance, t."RatecodeID", t.store_and_fwd_flag, t."PULocationID", t."DOLocationID",
 t.payment_type, t.fare_amount, t.extra, t.mta_tax, c.tip_amount, t.tolls_amount, t.improvement_surcharge, c.total_amount, t.congestion_surcharge, t.airport_fee, t.pk_id
 from trips_uniform c join trips t using (pk_id) order by hashint8(pk_id+1);
alter table trips_three_columns add primary key (pk_id);
create table trips_recent as select * from trips_changed where pk_id > (select max(pk_id) - count(*) / 100 from trips) order by hashint8(pk_id+1);
alter table trips_recent add primary key (pk_id);
create table trips_hundred as select * from trips_changed where pk_id between (select max(pk_id) / 2 from trips) and (select max(pk_id) / 2 + 99 from trips);
alter table trips_hundred add primary key (pk_id);
