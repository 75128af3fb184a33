/** The standard health contract (`grpc.health.v1`), for Connect clients and servers. */
export {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "./gen/grpc/health/v1/health_pb.ts";
