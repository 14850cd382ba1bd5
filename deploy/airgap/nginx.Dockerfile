# Replaces nginx:1.28-bookworm.
ARG DEBIAN_IMAGE
FROM ${DEBIAN_IMAGE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
USER nobody
ENTRYPOINT ["nginx"]
CMD ["-g", "daemon off;"]
