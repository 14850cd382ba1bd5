# Replaces nats:2.15-alpine. `build` copies the server here from the wheel in requirements.lock.
ARG DEBIAN_IMAGE
FROM ${DEBIAN_IMAGE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends busybox \
 && ln -s busybox /bin/wget \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && install -d -o nobody -g nogroup /data
COPY nats-server /usr/local/bin/
USER nobody
VOLUME /data
EXPOSE 4222 6222 8222
ENTRYPOINT ["nats-server"]
